"""Permissions of one user on one case (django-guardian, direct foreign keys)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase


class CaseUserPermission(UserObjectPermissionBase):
    """One permission of one user on one case."""

    # A user who was ever granted a case is deactivated, not deleted: the trail names the user.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    content_object = models.ForeignKey("cases.Case", on_delete=models.CASCADE, db_column="case_id")

    class Meta(UserObjectPermissionBase.Meta):
        db_table = "case_user_permissions"
        default_permissions = ()


class CaseGroupPermission(GroupObjectPermissionBase):
    """django-guardian asks for it beside the users' table; this service grants to users only."""

    content_object = models.ForeignKey("cases.Case", on_delete=models.CASCADE, db_column="case_id")

    class Meta(GroupObjectPermissionBase.Meta):
        db_table = "case_group_permissions"
        default_permissions = ()
