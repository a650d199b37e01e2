"""A slixmpp client that does what it is told.

Each line on standard input is a JSON object {"order": n, "do": name, ...arguments}; each line
on standard output is {"order": n, "ok": result}, {"order": n, "error": text} or an event
{"event": "stanza" | "roster" | "data" | "gone", ...}. What the client understood of a message (its
body, which message it corrects, retracts or reacts to) comes from slixmpp's own plugins.
"""
import asyncio
import json
import sys
import traceback

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream import ET

PLUGINS = [
    "xep_0004", "xep_0030", "xep_0045", "xep_0048", "xep_0050", "xep_0054", "xep_0055", "xep_0059", "xep_0060", "xep_0065", "xep_0066", "xep_0077",
    "xep_0084", "xep_0085", "xep_0092", "xep_0115", "xep_0163", "xep_0184", "xep_0191", "xep_0199", "xep_0202", "xep_0203", "xep_0249",
    "xep_0280", "xep_0308", "xep_0313", "xep_0333", "xep_0359", "xep_0363", "xep_0444", "xep_0461",
]

RETRACT = "urn:xmpp:message-retract:1"


answers, sys.stdout = sys.stdout, sys.stderr  # slixmpp prints now and then


def say(what):
    answers.write(json.dumps(what) + "\n")
    answers.flush()


class Puppet(slixmpp.ClientXMPP):
    def __init__(self, jid, password, ca_certs, mechanism=None, manage=False):
        super().__init__(jid, password, sasl_mech=mechanism)
        self.ca_certs = ca_certs
        self.auto_reconnect = False
        self.auto_authorize = None
        self.auto_subscribe = False
        self.whitespace_keepalive = False
        self.end_session_on_disconnect = True
        self.use_ipv6 = False
        self.ready = asyncio.get_event_loop().create_future()
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        if manage:
            self.register_plugin("xep_0198")
        self.add_event_handler("session_resumed", lambda _: self.settle(None))
        self.add_event_handler("session_start", lambda _: self.settle(None))
        self.add_event_handler("failed_all_auth", lambda _: self.settle("authentication failed"))
        self.add_event_handler("connection_failed", lambda e: self.settle("connection failed: %s" % e))
        self.add_event_handler("disconnected", self.on_gone)
        self.add_event_handler("roster_update", self.on_roster)
        for kind in ("message", "presence"):
            self.register_handler(Callback("tell " + kind, MatchXPath("{jabber:client}" + kind), self.on_stanza))

    def settle(self, fault):
        if not self.ready.done():
            self.ready.set_result(fault)

    def on_gone(self, reason):
        self.settle("disconnected: %s" % reason)
        say({"event": "gone", "reason": str(reason)})

    def on_roster(self, iq):
        say({"event": "roster", "raw": str(iq)})

    def on_stanza(self, stanza):
        seen = {"from": str(stanza["from"]), "type": stanza["type"], "id": stanza["id"]}
        if stanza.name == "message":
            seen["body"] = stanza["body"]
            seen["replaces"] = stanza["replace"]["id"] if stanza.get_plugin("replace", check=True) else ""
            retract = stanza.xml.find("{%s}retract" % RETRACT)
            seen["retracts"] = retract.get("id") if retract is not None else ""
            reactions = stanza.get_plugin("reactions", check=True)
            if reactions is not None:
                seen["reacts_to"], seen["reactions"] = reactions["id"], sorted(reactions.get_values())
            reply = stanza.get_plugin("reply", check=True)
            seen["replies_to"] = reply["id"] if reply is not None else ""
            seen["delayed"] = stanza.get_plugin("delay", check=True) is not None
        else:
            seen["show"], seen["status"] = stanza["show"], stanza["status"]
        say({"event": "stanza", "kind": stanza.name, "seen": seen, "raw": str(stanza)})


DELEGATION, FORWARD = "urn:xmpp:delegation:2", "urn:xmpp:forward:0"


class Component(slixmpp.ComponentXMPP):
    """A component with privileges (XEP-0356), which answers the requests that are delegated to it (XEP-0355; slixmpp has no plugin for that)."""

    def __init__(self, jid, secret, host, port, domain):
        super().__init__(jid, secret, host, port)
        self.auto_reconnect = False
        self.ready = asyncio.get_event_loop().create_future()
        self.notes = {}
        for plugin in ("xep_0030", "xep_0297", "xep_0356"):
            self.register_plugin(plugin)
        # The plugin of this slixmpp takes the address that it connects to for the server's domain.
        self.connect(host=host, port=port)
        self.server_host = domain
        self.add_event_handler("privileges_advertised", lambda _: self.ready.done() or self.ready.set_result(None))
        self.add_event_handler("disconnected", self.on_gone)
        self.register_handler(Callback("delegated", MatchXPath("{jabber:component:accept}iq/{%s}delegation" % DELEGATION), self.delegated))
        for kind in ("message", "iq"):
            self.register_handler(Callback("report " + kind, MatchXPath("{jabber:component:accept}" + kind), self.on_stanza))

    def on_gone(self, reason):
        if not self.ready.done():
            self.ready.set_result("disconnected: %s" % reason)
        say({"event": "gone", "reason": str(reason)})

    @staticmethod
    def on_stanza(stanza):
        say({"event": "stanza", "kind": stanza.name, "seen": {"from": str(stanza["from"]), "type": stanza["type"], "id": stanza["id"]}, "raw": str(stanza)})

    def delegated(self, iq):
        """Keeps a note for each account, and returns it."""
        asked = iq.xml.find("{%s}delegation/{%s}forwarded/{jabber:client}iq" % (DELEGATION, FORWARD))
        note, owner = asked[0], slixmpp.JID(asked.get("from")).bare
        if asked.get("type") == "set":
            self.notes[owner] = note.text
        result = ET.Element("{jabber:client}iq", {"type": "result", "to": asked.get("from"), "id": asked.get("id")})
        ET.SubElement(result, note.tag).text = self.notes.get(owner, "")
        reply = iq.reply(clear=True)
        wrapped = ET.Element("{%s}delegation" % DELEGATION)
        ET.SubElement(wrapped, "{%s}forwarded" % FORWARD).append(result)
        reply.xml.append(wrapped)
        reply.send()


class Commands:
    """What can be asked for; each method is one command."""

    def __init__(self):
        self.xmpp = None

    async def login(self, jid, password, host, port, ca_certs, mechanism=None, presence=True, manage=False):
        self.xmpp = Puppet(jid, password, ca_certs, mechanism, manage)
        self.xmpp.connect((host, port))
        fault = await self.xmpp.ready
        if fault:
            raise RuntimeError(fault)
        roster = await self.xmpp.get_roster()
        if presence:
            self.xmpp.send_presence()
        return {
            "jid": str(self.xmpp.boundjid),
            "mechanism": self.xmpp["feature_mechanisms"].mech.name,
            "roster": self.contacts(roster),
        }

    async def attach(self, jid, secret, host, port, domain):
        """Attaches a component, and waits until it is told its privileges."""
        self.xmpp = Component(jid, secret, host, port, domain)
        fault = await self.xmpp.ready
        if fault:
            raise RuntimeError(fault)
        return {"privileges": self.xmpp["xep_0356"].granted_privileges}

    async def note(self, type, text=None):
        """Keeps a note at the own server, or reads it."""
        iq = self.xmpp.Iq()
        iq["type"] = type
        ET.SubElement(iq.xml, "{urn:example:notes}note").text = text
        answer = await iq.send()
        return {"text": answer.xml.find("{urn:example:notes}note").text}

    async def roster_of(self, jid):
        return self.contacts(await self.xmpp["xep_0356"].get_roster(jid))

    async def set_roster_of(self, jid, items):
        await self.xmpp["xep_0356"].set_roster(jid, items)

    async def message_of(self, jid, to, body):
        """Sends a message in an account's name."""
        m = self.xmpp.make_message(mfrom=jid, mto=to, mbody=body, mtype="chat")
        m.namespace = "jabber:client"
        m.xml.tag = "{jabber:client}message"
        for e in m.xml:
            e.tag = e.tag.replace("{jabber:component:accept}", "{jabber:client}")
        self.xmpp["xep_0356"].send_privileged_message(m)

    async def upload(self, to, path):
        """Uploads a file and sends its address."""
        plugin, disco = self.xmpp["xep_0363"], self.xmpp["xep_0030"]
        # The plugin's own search for the service fails with Python 3.11.
        items = await disco.get_items(jid=self.xmpp.boundjid.host)
        for service, _, _ in items["disco_items"]["items"]:
            info = await disco.get_info(jid=service)
            if "urn:xmpp:http:upload:0" in info["disco_info"]["features"]:
                plugin.upload_service = service
        if plugin.upload_service is None:
            raise RuntimeError("no upload service")
        url = await plugin.upload_file(path, timeout=30)
        message = self.xmpp.make_message(mto=to, mbody=url, mtype="chat")
        message["oob"]["url"] = url
        message.send()
        return {"url": url}

    @staticmethod
    def contacts(iq):
        items = iq["roster"]["items"]
        return {
            str(jid): {"name": item["name"], "groups": sorted(item["groups"]), "subscription": item["subscription"]}
            for jid, item in items.items()
        }

    async def roster(self):
        iq = self.xmpp.Iq()
        iq["type"] = "get"
        iq.enable("roster")
        return self.contacts(await iq.send())

    async def cut(self):
        """Breaks the connection, without closing the stream."""
        self.xmpp.transport.abort()

    async def resume(self, host, port):
        """Connects again; the session must be the same."""
        id = self.xmpp["xep_0198"].sm_id
        self.xmpp.ready = asyncio.get_event_loop().create_future()
        self.xmpp.connect((host, port))
        fault = await self.xmpp.ready
        if fault:
            raise RuntimeError(fault)
        return {"same": bool(id) and self.xmpp["xep_0198"].sm_id == id, "unacked": len(self.xmpp["xep_0198"].unacked_queue)}

    async def logout(self):
        await self.xmpp.disconnect()

    async def presence(self, to=None, type=None, show=None, status=None):
        self.xmpp.send_presence(pto=to, ptype=type, pshow=show, pstatus=status)

    async def message(self, to, body, type="chat", receipt=False):
        m = self.xmpp.make_message(mto=to, mbody=body, mtype=type)
        m["id"] = self.xmpp.new_id()
        m["origin_id"]["id"] = m["id"]
        if receipt:
            m["request_receipt"] = True
        m.send()
        return {"id": m["id"]}

    async def correct(self, to, body, replaces, type="chat"):
        m = self.xmpp.make_message(mto=to, mbody=body, mtype=type)
        m["id"] = self.xmpp.new_id()
        m["replace"]["id"] = replaces
        m.send()
        return {"id": m["id"]}

    async def retract(self, to, id, type="chat"):
        # This slixmpp's plugin speaks the version before fastening was given up.
        m = self.xmpp.make_message(mto=to, mtype=type, mbody="This person retracted a message")
        m["id"] = self.xmpp.new_id()
        m.xml.append(ET.Element("{%s}retract" % RETRACT, {"id": id}))
        m.xml.append(ET.Element("{urn:xmpp:fallback:0}fallback", {"for": RETRACT}))
        m.xml.append(ET.Element("{urn:xmpp:hints}store"))
        m.send()

    async def react(self, to, id, reactions, type="chat"):
        m = self.xmpp.make_message(mto=to, mtype=type)
        m["id"] = self.xmpp.new_id()
        self.xmpp["xep_0444"].set_reactions(m, id, reactions)
        m.send()

    async def raw(self, text):
        self.xmpp.send_raw(text)

    async def ping(self, to):
        return {"seconds": await self.xmpp["xep_0199"].ping(slixmpp.JID(to))}

    async def version(self, to):
        iq = await self.xmpp["xep_0092"].get_version(slixmpp.JID(to))
        return {"name": iq["software_version"]["name"], "version": iq["software_version"]["version"]}

    async def info(self, to, node=None):
        iq = await self.xmpp["xep_0030"].get_info(jid=slixmpp.JID(to), node=node, cached=False)
        info = iq["disco_info"]
        return {
            "identities": [list(i) for i in info["identities"]],
            "features": sorted(info["features"]),
        }

    async def items(self, to, node=None):
        iq = await self.xmpp["xep_0030"].get_items(jid=slixmpp.JID(to), node=node)
        return {"items": [{"jid": str(i[0]), "node": i[1], "name": i[2]} for i in iq["disco_items"]["items"]]}

    async def vcard(self, of):
        iq = await self.xmpp["xep_0054"].get_vcard(slixmpp.JID(of), cached=False)
        card = iq["vcard_temp"]
        return {"name": card["FN"], "nickname": (card["NICKNAME"] or [""])[0], "photo": bool(card["PHOTO"]["BINVAL"] or card["PHOTO"]["EXTVAL"])}

    async def command(self, to, node, action="execute", session=None, values=None):
        form = None
        if values is not None:
            form = self.xmpp["xep_0004"].make_form(ftype="submit")
            for name, value in values.items():
                form.add_field(var=name, value=value)
        iq = self.xmpp.Iq()
        iq["type"] = "set"
        iq["to"] = to
        iq["command"]["node"] = node
        iq["command"]["action"] = action
        if session is not None:
            iq["command"]["sessionid"] = session
        if form is not None:
            iq["command"].append(form)
        answer = await iq.send()
        return self.stage(answer["command"])

    @staticmethod
    def stage(command):
        result = {
            "status": command["status"],
            "session": command["sessionid"],
            "actions": sorted(command["actions"]) if command["actions"] else [],
            "notes": [[kind, text] for kind, text in (command["notes"] or [])],
        }
        form = command.get_plugin("form", check=True)
        if form is not None:
            result["form"] = {
                "title": form["title"],
                "instructions": form["instructions"],
                "fields": [
                    {
                        "var": f["var"], "type": f["type"], "label": f["label"], "required": bool(f["required"]),
                        "value": f.get_value(convert=False) if f["type"] != "hidden" else f["value"],
                        "options": [o["value"] for o in f["options"]],
                    }
                    for f in form.get_fields().values()
                ],
            }
        return result

    async def avatar(self, text):
        """Publishes an avatar, as clients do: the data, then what it is."""
        plugin, data = self.xmpp["xep_0084"], text.encode()
        await plugin.publish_avatar(data)
        await plugin.publish_avatar_metadata({"id": plugin.generate_id(data), "type": "image/png", "bytes": len(data)})
        return {"id": plugin.generate_id(data)}

    async def avatar_of(self, of, id):
        iq = await self.xmpp["xep_0084"].retrieve_avatar(slixmpp.JID(of), id)
        return {"text": iq["pubsub"]["items"]["item"]["avatar_data"]["value"].decode()}

    async def publish(self, to, node, id, text, options=None):
        form = None
        if options is not None:
            form = self.xmpp["xep_0004"].make_form(ftype="submit")
            form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#publish-options")
            for name, value in options.items():
                form.add_field(var=name, value=value)
        payload = ET.Element("{urn:example:text}text")
        payload.text = text
        await self.xmpp["xep_0060"].publish(slixmpp.JID(to), node, id=id, payload=payload, options=form)

    async def node_items(self, of, node, max_items=None):
        iq = await self.xmpp["xep_0060"].get_items(slixmpp.JID(of), node, max_items=max_items)
        return {"items": [{"id": i["id"], "text": i["payload"].text} for i in iq["pubsub"]["items"]]}

    async def node(self, to, node, step):
        """Creates, deletes, purges or subscribes to a node."""
        plugin, service = self.xmpp["xep_0060"], slixmpp.JID(to)
        if step == "create":
            await plugin.create_node(service, node)
        elif step == "delete":
            await plugin.delete_node(service, node)
        elif step == "purge":
            await plugin.purge(service, node)
        elif step == "subscribe":
            iq = await plugin.subscribe(service, node)
            return {"state": iq["pubsub"]["subscription"]["subscription"]}
        elif step == "unsubscribe":
            await plugin.unsubscribe(service, node)
        elif step == "configure":
            iq = await plugin.get_node_config(service, node)
            form = iq["pubsub_owner"]["configure"]["form"]
            form["type"] = "submit"
            form.get_fields()["pubsub#title"]["value"] = "Configured"
            await plugin.set_node_config(service, node, form)

    async def retract_item(self, to, node, id):
        await self.xmpp["xep_0060"].retract(slixmpp.JID(to), node, id, notify=True)

    async def copies(self):
        """Asks for copies of the account's messages; on_stanza tells of them."""
        await self.xmpp["xep_0280"].enable()

    async def block(self, jid, reason=None, text=None):
        """Blocks an address, and reports it if there is a reason."""
        if reason is None:
            await self.xmpp["xep_0191"].block(slixmpp.JID(jid))
            return
        # This slixmpp's plugin for reports speaks the version without reasons.
        iq = self.xmpp.make_iq_set()
        iq["block"]["items"] = [slixmpp.JID(jid)]
        report = ET.SubElement(iq["block"].xml.find("{urn:xmpp:blocking}item"), "{urn:xmpp:reporting:1}report", {"reason": reason})
        ET.SubElement(report, "{urn:xmpp:reporting:1}text").text = text
        await iq.send()

    async def unblock(self, jid):
        await self.xmpp["xep_0191"].unblock(slixmpp.JID(jid))

    async def blocked(self):
        iq = await self.xmpp["xep_0191"].get_blocked()
        return {"addresses": sorted(str(jid) for jid in iq["blocklist"]["items"])}

    async def enter_directory(self, to, **values):
        """Enters the account into a user directory."""
        iq = self.xmpp.make_iq_set(ito=slixmpp.JID(to))
        for name, value in values.items():
            iq["register"][name] = value
        await iq.send()

    async def search(self, to, **values):
        """Searches a user directory with its form."""
        asked = self.xmpp.make_iq_get(ito=slixmpp.JID(to))
        asked.enable("search")
        fields = sorted((await asked.send())["search"]["form"].get_fields())
        iq = self.xmpp["xep_0055"].make_search_iq(ito=slixmpp.JID(to))
        for name, value in values.items():
            iq["search"]["form"].add_field(name, value=value)
        form = (await iq.send())["search"]["form"]
        return {"fields": fields, "found": [dict(item) for item in form["items"]]}

    async def save_bookmarks(self, rooms):
        """Replaces the bookmarks, in the form that slixmpp knows (XEP-0048, in private XML)."""
        bookmarks = self.xmpp["xep_0048"].stanza.Bookmarks()
        for room, name in rooms.items():
            bookmarks.add_conference(slixmpp.JID(room), "Nick", autojoin=False, name=name)
        await self.xmpp["xep_0048"].set_bookmarks(bookmarks, method="xep_0049")

    async def bookmarks(self):
        iq = await self.xmpp["xep_0048"].get_bookmarks(method="xep_0049")
        return {"rooms": {str(c["jid"]): c["name"] for c in iq["private"]["bookmarks"]["conferences"]}}

    async def payloads(self, of, node):
        """Returns the items of a node as they are."""
        iq = await self.xmpp["xep_0060"].get_items(slixmpp.JID(of) if of else None, node)
        return {"items": {i["id"]: ET.tostring(i["payload"], encoding="unicode") for i in iq["pubsub"]["items"]}}

    async def push(self, service, node, enable=True):
        iq = self.xmpp.make_iq_set()
        iq.xml.append(ET.Element("{urn:xmpp:push:0}%s" % ("enable" if enable else "disable"), {"jid": service, "node": node}))
        await iq.send()

    async def take_files(self):
        """Accepts files through a proxy; each piece is an event."""
        self.xmpp["xep_0065"].auto_accept = True
        self.xmpp.add_event_handler("socks5_data", lambda data: say({"event": "data", "raw": data.decode()}))

    async def send_file(self, to, text):
        """Sends a text through the server's proxy."""
        conn = await self.xmpp["xep_0065"].handshake(slixmpp.JID(to), timeout=30)
        if conn is None:
            raise RuntimeError("no proxy")
        conn.transport.write(text.encode())

    async def join(self, room, nick, history=0):
        """Joins and waits until the room has sent everything: occupants, history, subject."""
        muc = self.xmpp["xep_0045"]
        done = asyncio.get_event_loop().create_future()
        fault = "muc::%s::presence-error" % room

        own = {}

        def presence(stanza):  # status 210: the room gave another nick than asked for
            if 110 in stanza["muc"]["status_codes"]:
                own["nick"] = stanza["from"].resource

        def subject(_):
            if not done.done():
                done.set_result(None)

        def refused(stanza):
            if not done.done():
                done.set_exception(RuntimeError("refused: " + stanza["error"]["condition"]))

        self.xmpp.add_event_handler("groupchat_presence", presence)
        self.xmpp.add_event_handler("groupchat_subject", subject)
        self.xmpp.add_event_handler(fault, refused)
        try:
            muc.join_muc(room, nick, maxhistory=str(history))
            await asyncio.wait_for(done, 30)
        finally:
            self.xmpp.del_event_handler("groupchat_presence", presence)
            self.xmpp.del_event_handler("groupchat_subject", subject)
            self.xmpp.del_event_handler(fault, refused)
        return {"occupants": sorted(muc.get_roster(room)), "nick": own.get("nick", nick)}

    async def configure_room(self, room, values):
        """Fills in a room's form of configuration; returns the fields that it has."""
        muc = self.xmpp["xep_0045"]
        form = await muc.get_room_config(slixmpp.JID(room))
        names = sorted(form.get_fields())
        form.set_values(values)
        await muc.set_room_config(slixmpp.JID(room), form)
        return {"fields": names}

    async def room_affiliation(self, room, affiliation, jid=None, nick=None, reason=""):
        await self.xmpp["xep_0045"].set_affiliation(slixmpp.JID(room), affiliation, jid=jid and slixmpp.JID(jid), nick=nick, reason=reason)

    async def room_role(self, room, nick, role, reason=""):
        await self.xmpp["xep_0045"].set_role(slixmpp.JID(room), nick, role, reason=reason)

    async def room_lists(self, room, affiliation, role):
        muc = self.xmpp["xep_0045"]
        people = await muc.get_affiliation_list(slixmpp.JID(room), affiliation)
        nicks = await muc.get_roles_list(slixmpp.JID(room), role)
        return {"affiliated": sorted(str(jid) for jid in people), "nicks": sorted(nicks)}

    async def room_invite(self, room, jid, reason=""):
        self.xmpp["xep_0045"].invite(slixmpp.JID(room), slixmpp.JID(jid), reason)

    async def room_decline(self, room, jid, reason=""):
        self.xmpp["xep_0045"].decline(slixmpp.JID(room), slixmpp.JID(jid), reason)

    async def room_subject(self, room, subject):
        self.xmpp["xep_0045"].set_subject(slixmpp.JID(room), subject)

    async def room_voice(self, room):
        self.xmpp["xep_0045"].request_voice(slixmpp.JID(room), "participant")

    async def destroy_room(self, room, reason, instead):
        await self.xmpp["xep_0045"].destroy(slixmpp.JID(room), reason, slixmpp.JID(instead))

    async def leave(self, room, nick):
        self.xmpp["xep_0045"].leave_muc(room, nick)

    async def archive(self, of=None, last=50):
        found = []
        results = self.xmpp["xep_0313"].retrieve(
            jid=slixmpp.JID(of) if of else None, iterator=True, reverse=True, rsm={"max": min(last, 50)})
        async for page in results:
            for entry in page["mam"]["results"]:
                forwarded = entry["mam_result"]["forwarded"]["stanza"]
                found.append({"id": entry["mam_result"]["id"], "from": str(forwarded["from"]), "body": forwarded["body"]})
            if len(found) >= last:
                break
        return {"messages": found}


async def main():
    loop = asyncio.get_event_loop()
    reader = asyncio.StreamReader(limit=1 << 22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    commands = Commands()
    tasks = set()

    async def carry_out(order):
        number, name = order.pop("order"), order.pop("do")
        try:
            say({"order": number, "ok": await getattr(commands, name)(**order)})
        except IqError as e:
            say({"order": number, "error": "%s: %s" % (e.iq["error"]["condition"], e.iq["error"]["text"])})
        except IqTimeout:
            say({"order": number, "error": "timeout"})
        except Exception as e:  # the caller is told whatever went wrong
            traceback.print_exc()
            say({"order": number, "error": "%s: %s" % (type(e).__name__, e)})

    while line := await reader.readline():
        task = loop.create_task(carry_out(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main())
