"""What comes as a file in a form: registers, at one address, from people who have logged in.

Forms are read before anybody asks who sends them, so every other file is passed by here. A file is
received into one without a name, which vanishes with the process, whatever ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from tempfile import TemporaryFile
from typing import IO, Any, Final, NoReturn

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest
from django.urls import reverse

from cases.imports.uploads import MEBIBYTE

# What a form has beside its file.
_AROUND: Final = 65_536
_NOTE: Final = "_register_too_large"


def size_refused(request: HttpRequest) -> int:
    """Return the size of the file that was too large to be received; 0 where none was."""
    size: int = getattr(request, _NOTE, 0)
    return size


class RegisterHandler(FileUploadHandler):
    """Receives a register; one that is too large is left, and ``size_refused`` tells of it."""

    file: IO[bytes]

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._announced = self._received = 0

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: Mapping[str, str],  # noqa: N803 (Django's name)
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Note how much is announced."""
        del input_data, META, boundary, encoding
        self._announced = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin to receive a file, if this is the address and the person for one.

        Raises:
            SkipFile: it is not.
            StopUpload: it is announced to be larger than what is taken.
        """
        super().new_file(*args, **kwargs)
        request = self.request
        assert request is not None  # noqa: S101 (Django's parser has one)
        if request.path_info != reverse("admin:cases_case_imports"):
            raise SkipFile
        if not request.user.is_authenticated:
            raise SkipFile
        if self._announced > self._most + _AROUND:
            self._refuse(self._announced)
        self.file = TemporaryFile()  # noqa: SIM115 (it lives as long as what the view is given)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a piece of the file. Raises StopUpload where it is one too many."""
        del start
        self._received += len(raw_data)
        if self._received > self._most:
            self.file.close()
            self._refuse(max(self._announced, self._received))
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        """Return the file, to be read from its start."""
        self.file.seek(0)
        return UploadedFile(
            file=self.file, name=self.file_name, content_type=self.content_type, size=file_size
        )

    def upload_interrupted(self) -> None:
        """Let go of what came of a file that broke off."""
        if hasattr(self, "file"):
            self.file.close()

    @property
    def _most(self) -> int:
        most: int = settings.IMPORT_MAX_MIB * MEBIBYTE
        return most

    def _refuse(self, size: int) -> NoReturn:
        setattr(self.request, _NOTE, size)
        # The rest is read and dropped: who is still sending would not hear the answer.
        raise StopUpload(connection_reset=False)
