"""A network for slidge that has one contact and one room, and answers what it is sent."""

from slidge import BaseGateway, BaseSession, LegacyBookmarks, LegacyContact, LegacyMUC, LegacyParticipant, LegacyRoster, MucType
from slidge.command import FormField
from slidge.util.types import LegacyAttachment


class Gateway(BaseGateway):
    COMPONENT_NAME = "Test network"
    COMPONENT_TYPE = "test"
    REGISTRATION_FIELDS = [FormField("name", label="Name", required=True)]
    GROUPS = True

    async def validate(self, user_jid, registration_form):
        if registration_form["name"] == "wrong":
            raise ValueError("there is no such name")


class Contact(LegacyContact):
    async def update_info(self):
        self.name = "A friend"
        self.is_friend = True
        self.online()

    async def on_message(self, message):
        if message.body == "file":
            await self.send_file(LegacyAttachment(data=b"content of a file", name="file.txt", content_type="text/plain"))
        elif message.body == "roster":
            await self.add_to_roster(force=True)
        elif message.body == "copy":
            self.send_text("written elsewhere", carbon=True)
        elif message.body == "bookmark":
            muc = await self.session.bookmarks.by_legacy_id("room")
            await muc.add_to_bookmarks()
        else:
            self.send_text("echo of " + message.body)
        return None


class Roster(LegacyRoster):
    async def fill(self):
        yield await self.by_legacy_id("friend")


class Participant(LegacyParticipant):
    pass


class Room(LegacyMUC):
    type = MucType.GROUP

    async def update_info(self):
        self.name = "A room"

    async def fill_participants(self):
        yield await self.get_user_participant()


class Bookmarks(LegacyBookmarks):
    async def fill(self):
        await self.by_legacy_id("room")


class Session(BaseSession):
    async def login(self):
        return "Connected"

    async def logout(self):
        pass
