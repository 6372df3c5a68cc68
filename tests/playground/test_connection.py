"""A real client comes online and talks."""

import asyncio

import discord
from discord.ext import commands

from bot.playground.server import Playground
from bot.playground.values import Draft


async def test_a_client_sees_the_seeded_guild(bot: commands.AutoShardedBot) -> None:
    (guild,) = bot.guilds
    assert guild.name == "学习小组"
    assert [channel.name for channel in guild.text_channels] == ["general", "study"]
    assert {member.name for member in guild.members} == {"小明", "Alice", "老师", "学伴"}
    teacher = discord.utils.get(guild.members, name="老师")
    assert teacher is not None
    assert guild.owner == teacher
    assert not guild.me.guild_permissions.manage_guild


async def test_a_message_is_heard_and_answered(
    playground: Playground, bot: commands.AutoShardedBot
) -> None:
    heard: asyncio.Queue[discord.Message] = asyncio.Queue()
    bot.add_listener(heard.put, "on_message")
    directory = playground.world.directory
    channel = next(one for one in directory.channels.values() if one.name == "general")
    learner = next(one for one in directory.users.values() if one.username == "小明")
    playground.world.conversation.send(channel, learner.id, Draft("什么是过拟合？"))
    message = await asyncio.wait_for(heard.get(), 5)
    assert message.content == "什么是过拟合？"
    answer = await message.reply("训练集上好，测试集上差。")
    assert answer.reference is not None
    assert answer.reference.message_id == message.id
