"""Who is asking, as they see themselves."""

import strawberry

from engine.viewer import Viewer as ViewerValue
from schema.booking import Contact
from schema.context import Info
from schema.enums import Role
from schema.fields import field
from schema.organization import Organization


@strawberry.type(description="Who is asking.")
class Viewer:
    """The bearer of the token, or a guest."""

    value: strawberry.Private[ViewerValue]

    role: Role = strawberry.field(description="What they may do; GUEST without a token.")
    contact: Contact | None = strawberry.field(description="What their token says of how to reach them.")

    @classmethod
    def of(cls, viewer: ViewerValue) -> "Viewer":
        """The engine's viewer, for themselves."""
        return cls(value=viewer, role=viewer.role, contact=Contact.of(viewer.contact))

    @field("Where that role counts. Null for guests, and for operators of the whole platform.")
    async def organization(self, info: Info) -> Organization | None:
        """Their organization."""
        if self.value.organization_id is None:
            return None
        found = await info.context.loaders.organizations.load(self.value.organization_id)
        return None if found is None else Organization.of(found[0])
