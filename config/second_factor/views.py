"""The pages of the second factor. All are the person's own; nothing on them is cached or logged."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import segno
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from config.models import SealedDevice
from config.second_factor import state

_LONGEST = 40


class CodeForm(forms.Form):
    """A code, as a device or a sheet of paper shows it."""

    code = forms.CharField(
        max_length=_LONGEST,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autofocus": True,
                "spellcheck": "false",
                "autocapitalize": "none",
            }
        ),
    )

    def refuse(self, verdict: state.Verdict) -> None:
        """Say why the code was not taken."""
        said = "This code is wrong, or was used before."
        if verdict.wait:
            said = f"Too many wrong codes: wait {verdict.wait} seconds."
        elif verdict.unreadable:
            said = (
                "The service cannot read the key of your device any more. Use a recovery code, or"
                " let an administrator take your second factor away: then you set up another."
            )
        self.add_error("code", said)


def ask_for_code(onward: str) -> HttpResponseRedirect:
    """Lead to the page that asks for a code, and from there to an address of ours."""
    query = urlencode({REDIRECT_FIELD_NAME: onward})
    return HttpResponseRedirect(f"{reverse('admin:second_factor_code')}?{query}")


def ask_again(onward: str) -> HttpResponseRedirect:
    """Lead to the page that asks who somebody is, and from there to an address of ours."""
    query = urlencode({REDIRECT_FIELD_NAME: onward})
    return HttpResponseRedirect(f"{reverse('admin:again')}?{query}")


@method_decorator([never_cache, sensitive_post_parameters("code")], name="dispatch")
class Page(View):
    """For people with an account of the back office who logged in with a password."""

    person: User
    codes_only = True
    """Whether the page is of no use to those who are never asked for a code."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        user = request.user
        if not (isinstance(user, User) and user.is_active and user.is_staff):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if self.codes_only and (settings.ADMIN_MFA == "off" or state.by_single_sign_on(request)):
            message = "No second factor is asked for here."
            raise Http404(message)
        self.person = user
        return self.before(request) or super().dispatch(request, *args, **kwargs)

    def before(self, request: HttpRequest) -> HttpResponse | None:
        """Return an answer that comes first, if one does."""
        del request
        return None

    def answer(self, template: str, **context: Any) -> HttpResponse:
        """Show a page; its frame offers other ways only to who may go them."""
        frame = admin.site.each_context(self.request) if state.passed(self.request) else {}
        return TemplateResponse(
            self.request, f"admin/second_factor/{template}.html", {**frame, **context}
        )

    def refused(self, template: str, verdict: state.Verdict, **context: Any) -> HttpResponse:
        """Show it again with what was wrong."""
        context["form"].refuse(verdict)
        answer = self.answer(template, **context)
        if verdict.wait:
            answer.status_code = HTTPStatus.TOO_MANY_REQUESTS
            answer.headers["Retry-After"] = str(verdict.wait)
        return answer

    def onward(self) -> HttpResponseRedirect:
        """Lead to where the person wanted to go."""
        wanted = self.request.GET.get(REDIRECT_FIELD_NAME, "")
        safe = url_has_allowed_host_and_scheme(
            wanted, {self.request.get_host()}, require_https=self.request.is_secure()
        )
        return HttpResponseRedirect(wanted if safe else reverse("admin:index"))


class ShowCode(Page):
    """Ask for a code: at the log-in, and again before devices and recovery codes are changed."""

    def _needless(self) -> HttpResponse | None:
        if not state.is_set_up(self.person):
            query = self.request.GET.urlencode()
            return HttpResponseRedirect(f"{reverse('admin:second_factor_set_up')}?{query}")
        shown = state.passed(self.request) and state.is_fresh(self.request)
        return self.onward() if shown else None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        del request
        return self._needless() or self.answer("code", title="Your code", form=CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Look at the code."""
        if answer := self._needless():
            return answer
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.answer("code", title="Your code", form=form)
        verdict = state.show(request, self.person, form.cleaned_data["code"])
        if not verdict.good:
            return self.refused("code", verdict, title="Your code", form=form)
        return self.onward()


class _Fresh(Page):
    """Who changes something proves first, just now, who it is.

    By a code where there is a second factor, else by the password: who took over an old session
    could set a device up, once the owner's was taken away.
    """

    def before(self, request: HttpRequest) -> HttpResponse | None:
        """Ask for that proof, unless it was given just now."""
        has_device = state.is_set_up(self.person)
        if state.is_fresh(request) and (state.passed(request) or not has_device):
            return None
        if has_device:
            return ask_for_code(reverse("admin:second_factor"))
        # Whichever of these pages it was: without a device there is but one thing to do.
        query = request.GET.urlencode()
        set_up = reverse("admin:second_factor_set_up")
        return ask_again(f"{set_up}?{query}" if query else set_up)


class SetUp(_Fresh):
    """Set a device up, the first or another one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the key of a new device."""
        return self.answer("set_up", **self._context(CodeForm(), request))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take the device, if it makes the right code; show recovery codes, this once."""
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.answer("set_up", **self._context(form, request))
        verdict, codes = state.set_up(request, self.person, form.cleaned_data["code"])
        if not verdict.good:
            return self.refused("set_up", verdict, **self._context(form, request))
        return self.answer(
            "codes", title="Your recovery codes", codes=codes, onward=self.onward().url
        )

    def _context(self, form: CodeForm, request: HttpRequest) -> dict[str, Any]:
        device = state.pending_device(request, self.person)
        return {
            "title": "Set up your second factor",
            "form": form,
            "picture": _picture(device),
            "key": _in_groups(device),
        }


class Overview(Page):
    """What the person has, and what can be done about it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        if not state.passed(request) or not state.is_set_up(self.person):
            return ask_for_code(request.path)
        device = SealedDevice.objects.filter(user=self.person, confirmed=True).first()
        return self.answer(
            "overview",
            title="Second factor",
            device=device,
            codes_left=state.codes_left(self.person),
        )


class NewCodes(_Fresh):
    """Make new recovery codes."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make them and show them, this once."""
        del request
        if not state.is_set_up(self.person):
            return HttpResponseRedirect(reverse("admin:second_factor_set_up"))
        return self.answer(
            "codes",
            title="Your recovery codes",
            codes=state.renew_codes(self.person),
            onward=reverse("admin:second_factor"),
        )


def _picture(device: SealedDevice) -> str:
    """Return the QR code of a device's key as SVG, drawn here; white on any ground, to be read."""
    drawn = segno.make(device.config_url, error="m").svg_inline(scale=5, light="#fff", border=4)
    return mark_safe(drawn)  # noqa: S308 (the library's drawing holds numbers and colours only)


def _in_groups(device: SealedDevice) -> str:
    """Return the key as people type it."""
    key = str(device.config_url).partition("secret=")[2].partition("&")[0]
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))
