"""The files of messages, by address."""

from aiohttp import web

from bot.playground.world import World


def add_files(application: web.Application, world: World) -> None:
    """Serve every attachment below /cdn."""

    async def serve(request: web.Request) -> web.Response:
        attachment = world.conversation.attachment(int(request.match_info["attachment_id"]))
        if attachment is None or attachment.filename != request.match_info["filename"]:
            raise web.HTTPNotFound
        return web.Response(
            body=attachment.content,
            content_type=attachment.content_type,
            headers={"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"},
        )

    application.router.add_get(
        r"/cdn/attachments/{channel_id:\d+}/{attachment_id:\d+}/{filename}", serve
    )
