package integration_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

const (
	profanityRoom      = "coven@conference." + testHost
	profanityOtherRoom = "heath@conference." + testHost
)

// TestProfanityRooms has profanity create, configure and moderate a room of the server's own, invite to it, write in it and privately, enter it
// again by its bookmark after a restart, and destroy it; and ask for voice in a room of somebody else (XEP-0045).
func TestProfanityRooms(t *testing.T) {
	t.Parallel()
	peers.Need(t, "profanity")
	server := &peers.StartDragoman(t, peers.Options{Setup: foreignSetup}).Server
	ctx, cancel := context.WithTimeout(t.Context(), 3*peerTimeout)
	defer cancel()
	simon, err := server.Dial(ctx, foreignSetup.Accounts[1], "desk")
	if err != nil {
		t.Fatal(err)
	}
	defer simon.Drop()
	p := &profanity{T: t, Profanity: &peers.Profanity{Dir: t.TempDir()}, ctx: ctx, server: server, relay: peers.StartRelay(t, "127.0.0.1:0", server.ClientAddr), simon: simon}
	p.send("<presence/>")
	p.start()

	p.createsRoom()
	p.invites()
	p.writesInRoom()
	p.moderates()
	p.returnsToRoom()
	p.asksForVoice()

	p.types("/win " + profanityRoom)
	p.types("/room destroy", "SENT", "<destroy")
	p.sees(profanityRoom+"/Simon", "unavailable", "<destroy")
	p.enters(profanityRoom, "Simon") // it is another one
	p.receives("presence", func(e *xmltree.Element) bool { return hasStatus(e, "201") })
}

// enters has Simon's client enter a room.
func (p *profanity) enters(room, nick string) {
	p.Helper()
	p.send("<presence to='" + room + "/" + nick + "'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
}

// getsFrom awaits a message of an occupant.
func (p *profanity) getsFrom(from, text string) {
	p.Helper()
	p.receives("message", func(e *xmltree.Element) bool { return e.Attr("from") == from && e.ChildText("body") == text })
}

// sees awaits a presence in the room that has all of these texts in it.
func (p *profanity) sees(parts ...string) {
	p.Helper()
	p.receives("presence", func(e *xmltree.Element) bool {
		text := e.String()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				return false
			}
		}
		return true
	})
}

// field returns how profanity names a field of the last form that it has received, by the order of the fields.
func (p *profanity) field(form, name string) string {
	p.Helper()
	number := 0
	for _, f := range regexp.MustCompile(`<field [^>]*>`).FindAllString(form, -1) {
		if strings.Contains(f, `"hidden"`) || !strings.Contains(f, " var=") {
			continue
		}
		if number++; strings.Contains(f, `"`+name+`"`) {
			return fmt.Sprintf("/field%d ", number)
		}
	}
	p.Fatalf("the form has no field %s: %s", name, form)
	return ""
}

// createsRoom has profanity create a room, which is locked until its configuration is there.
func (p *profanity) createsRoom() {
	p.Helper()
	p.types("/join "+profanityRoom+" nick Sally", "RECV", profanityRoom+"/Sally", `"201"`)
	p.types("/room config", "SENT", "muc#owner")
	form := p.logs("RECV", "muc#owner", "muc#roomconfig_roomname")
	p.types(p.field(form, "muc#roomconfig_roomname") + `"A Dark Cave"`)
	p.types(p.field(form, "muc#roomconfig_membersonly") + "on")
	p.types(p.field(form, "muc#roomconfig_persistentroom") + "on")
	p.types("/form submit", "SENT", "muc#owner", "submit", "A Dark Cave")
	p.logs("RECV", "disco#info", profanityRoom, "muc_membersonly") // then it invites through the room
	p.enters(profanityRoom, "Simon")
	p.receives("presence", func(e *xmltree.Element) bool {
		return e.Attr("type") == "error" && strings.Contains(e.String(), "registration-required")
	})
}

// invites has profanity invite Simon, who declines, and comes with the second one.
func (p *profanity) invites() {
	p.Helper()
	p.types("/win " + profanityRoom)
	p.types("/invite send "+simonBare+" Double, double", "SENT", simonBare, "Double, double")
	p.receives("message", func(e *xmltree.Element) bool {
		return e.Attr("from") == profanityRoom && strings.Contains(e.String(), "Double, double")
	})
	p.send("<message to='" + profanityRoom + "'><x xmlns='http://jabber.org/protocol/muc#user'><decline to='" + sallyBare + "'><reason>Toil and trouble</reason></decline></x></message>")
	p.logs("RECV", "<decline", "Toil and trouble")
	p.enters(profanityRoom, "Simon")
	p.sees(profanityRoom+"/Simon", `"110"`)
	p.logs("RECV", "<presence", profanityRoom+"/Simon")
}

// writesInRoom has both write in the room and privately, and profanity correct itself and change the subject.
func (p *profanity) writesInRoom() {
	p.Helper()
	p.types("Fire burn", "SENT", "groupchat", "Fire burn")
	p.getsFrom(profanityRoom+"/Sally", "Fire burn")
	p.types("/correction on")
	p.types("/correct Fire burn, and cauldron bubble", "SENT", "urn:xmpp:message-correct:0")
	p.getsFrom(profanityRoom+"/Sally", "Fire burn, and cauldron bubble")
	p.send("<message type='groupchat' to='" + profanityRoom + "'><body>Fillet of a fenny snake</body></message>")
	p.logs("RECV", profanityRoom+"/Simon", "Fillet of a fenny snake")
	p.types("/subject set Spells", "SENT", "<subject>Spells")
	p.receives("message", func(e *xmltree.Element) bool { return e.ChildText("subject") == "Spells" })

	p.types("/msg Simon By the pricking of my thumbs", "SENT", profanityRoom+"/Simon", "thumbs")
	p.getsFrom(profanityRoom+"/Sally", "By the pricking of my thumbs")
	p.send("<message type='chat' to='" + profanityRoom + "/Sally'><body>Something wicked</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>")
	p.logs("RECV", profanityRoom+"/Simon", "Something wicked")
	p.types("/win " + profanityRoom)
}

// moderates has profanity change roles and affiliations, kick, ban and let in again.
func (p *profanity) moderates() {
	p.Helper()
	p.types("/role set moderator Simon Worthy", "RECV", "Worthy", profanityRoom+"/Simon")
	p.sees(profanityRoom+"/Simon", `"moderator"`)
	p.types("/affiliation list member", "SENT", "muc#admin", `"member"`)
	p.logs("RECV", "muc#admin", simonBare)
	p.types("/kick Simon Avaunt", "SENT", "muc#admin", "Avaunt")
	p.receives("presence", func(e *xmltree.Element) bool { return hasStatus(e, "307") && strings.Contains(e.String(), "Avaunt") })
	p.enters(profanityRoom, "Simon")
	p.sees(profanityRoom+"/Simon", `"110"`)
	p.types("/ban "+simonBare+" Treason", "SENT", "outcast", "Treason")
	p.receives("presence", func(e *xmltree.Element) bool { return hasStatus(e, "301") && strings.Contains(e.String(), "Treason") })
	p.enters(profanityRoom, "Simon")
	p.receives("presence", func(e *xmltree.Element) bool {
		return e.Attr("type") == "error" && strings.Contains(e.String(), "forbidden")
	})
	p.types("/affiliation set member "+simonBare, "SENT", "muc#admin", simonBare, `"member"`)
}

// returnsToRoom has profanity leave, and enter the room again for its bookmark when it starts the next time.
func (p *profanity) returnsToRoom() {
	p.Helper()
	p.types("/bookmark add "+profanityRoom+" nick Sally autojoin on", "SENT", "storage:bookmarks", profanityRoom)
	p.types("/close", "SENT", "unavailable", profanityRoom+"/Sally")
	if err := p.Quit(p.ctx); err != nil {
		p.Fatal(err)
	}
	p.start()
	p.logs("RECV", "<presence", profanityRoom+"/Sally", `"110"`)
	p.logs("RECV", "<subject>Spells")
	p.enters(profanityRoom, "Simon")
	p.sees(profanityRoom+"/Simon", `"110"`)
}

// asksForVoice has profanity ask for voice in a moderated room of Simon's, and register its nick there.
func (p *profanity) asksForVoice() {
	p.Helper()
	p.enters(profanityOtherRoom, "Simon")
	p.sees(profanityOtherRoom+"/Simon", `"201"`)
	answer, err := request(p.ctx, p.simon, "set", profanityOtherRoom, "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>"+
		"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field><field var='muc#roomconfig_moderatedroom'><value>1</value></field></x></query>")
	if err != nil || answer.Attr("type") != "result" {
		p.Fatal(answer, err)
	}
	p.types("/join "+profanityOtherRoom+" nick Sally", "RECV", profanityOtherRoom+"/Sally", `"visitor"`)
	p.types("/affiliation request", "SENT", "muc#request")
	asked := p.receives("message", func(e *xmltree.Element) bool { return strings.Contains(e.String(), "muc#request") })
	if asked.Attr("from") != profanityOtherRoom || !strings.Contains(asked.String(), "Sally") {
		p.Errorf("%s", asked)
	}
	answer, err = request(p.ctx, p.simon, "set", profanityOtherRoom, "<query xmlns='http://jabber.org/protocol/muc#admin'><item nick='Sally' role='participant'/></query>")
	if err != nil || answer.Attr("type") != "result" {
		p.Fatal(answer, err)
	}
	p.logs("RECV", profanityOtherRoom+"/Sally", `"participant"`)
	p.types("Hail, king that shalt be", "SENT", "Hail, king")
	p.getsFrom(profanityOtherRoom+"/Sally", "Hail, king that shalt be")
	p.types("/affiliation register", "SENT", "jabber:iq:register", profanityOtherRoom)
}
