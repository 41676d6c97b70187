"""Query.viewer: who the server takes the caller for."""

from resolvers.access import query
from schema.access import Access
from schema.context import Info
from schema.viewer import Viewer


@query(Access.PUBLIC, description="Who is asking.")
async def viewer(info: Info) -> Viewer:
    """The bearer of the token, or a guest."""
    return Viewer.of(info.context.viewer)
