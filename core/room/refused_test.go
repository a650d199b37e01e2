package room

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// TestRefusedChangesNothing passes what is wrong to a room: the answer is the specification's condition, and the state stays.
func TestRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	owner := func(inner string) string {
		return "<iq from='owner/1' to='' id='i' type='set'><query xmlns='" + muc.NSOwner + "'>" + inner + "</query></iq>"
	}
	submit := func(fields string) string {
		return owner("<x xmlns='jabber:x:data' type='submit'>" + fields + "</x>")
	}
	message := func(who, to, typ, inner string) string {
		return "<message from='" + who + "' to='" + to + "' id='m' type='" + typ + "'>" + inner + "</message>"
	}
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	voice := form.New(form.Submit, muc.NSRequest, "").Set("muc#role", "participant").Set("muc#roomnick", "none").Set("muc#request_allow", "1").Element().String()
	for _, c := range []struct{ name, xml, want string }{
		{"§7.2.1 no nick", "<presence from='new/1' to=''>" + x + "</presence>", "jid-malformed"},
		{"§17.1 spaces", enter("new/1", "  "), "jid-malformed"},
		{"a nick that is too long", enter("new/1", many(300, "n")), "not-acceptable"},
		{"§7.2.8 taken", enter("new/1", "admin"), "conflict"},
		{"taken, with a space at the end", enter("new/1", "admin "), "conflict"},
		{"taken, in full-width letters", enter("new/1", "ａｄｍｉｎ"), "conflict"},
		{"taken, with a Cyrillic letter", enter("new/1", "аdmin"), "conflict"},
		{"reserved", enter("new/1", "gnome"), "conflict"},
		{"§7.2.7 banned", enter("outcast/1", "x"), "forbidden"},
		{"a banned person's message", message("outcast/1", "", "groupchat", "<body>x</body>"), "not-acceptable"},
		{"§7.6 a nick that is taken", "<presence from='member/1' to='/admin'/>", "conflict"},
		{"§7.6 a nick that is reserved", "<presence from='none/1' to='/gnome'/>", "conflict"},
		{"§7.6 spaces", "<presence from='none/1' to='/ '/>", "jid-malformed"},
		{"§7.4 no voice", message("none/1", "", "groupchat", "<body>x</body>"), "forbidden"},
		{"§8.1 no right to the subject", message("member/1", "", "groupchat", "<subject>x</subject>"), "forbidden"},
		{"a subject that is too long", message("owner/1", "", "groupchat", "<subject>"+many(5000, "x")+"</subject>"), "not-acceptable"},
		{"§7.5 groupchat to one", message("owner/1", "/admin", "groupchat", "<body>x</body>"), "bad-request"},
		{"§7.5 to nobody", message("owner/1", "/nobody", "chat", "<body>x</body>"), "item-not-found"},
		{"§17.2 neither groupchat nor to one", message("owner/1", "", "chat", "<body>x</body>"), "bad-request"},
		{"§7.8.2 an address that is none", invite("owner/1", "<invite to='@'/>"), "jid-malformed"},
		{"too many invitations", invite("owner/1", many(maxInvites+1, "<invite to='a@b'/>")), "not-acceptable"},
		{"an invitation by a stranger", invite("new/1", "<invite to='a@b'/>"), "not-acceptable"},
		{"a decline of nothing", invite("new/1", "<decline to='owner@example.org'/>"), "item-not-found"},
		{"§8.6 voice by a stranger", message("new/1", "", "normal", voice), "not-acceptable"},
		{"§9.9 approval by a member", approval("member/1", "muc#jid", "a@b", "muc#register_roomnick", "a", "muc#register_allow", "1"), "forbidden"},
		{"approval with a nick that is taken", approval("owner/1", "muc#jid", "a@b", "muc#register_roomnick", "admin", "muc#register_allow", "1"), "conflict"},
		{"approval without a nick", approval("owner/1", "muc#jid", "a@b", "muc#register_allow", "1"), "jid-malformed"},
		{"§17.4 role and affiliation", fmt.Sprintf(item("nick='none' role='visitor' affiliation='member'"), "owner/1"), "bad-request"},
		{"no such role", fmt.Sprintf(item("nick='none' role='king'"), "owner/1"), "bad-request"},
		{"no such affiliation", fmt.Sprintf(item("jid='a@b' affiliation='king'"), "owner/1"), "bad-request"},
		{"a role of nobody", fmt.Sprintf(item("nick='nobody' role='visitor'"), "owner/1"), "item-not-found"},
		{"an affiliation of a malformed address", fmt.Sprintf(item("jid='@' affiliation='member'"), "owner/1"), "jid-malformed"},
		{"a reserved nick that is taken", fmt.Sprintf(item("jid='a@b' affiliation='member' nick='gnome'"), "owner/1"), "conflict"},
		{"a reserved nick of spaces", fmt.Sprintf(item("jid='a@b' affiliation='member' nick='  '"), "owner/1"), "jid-malformed"},
		{"too many items", "<iq from='owner/1' to='' id='i' type='set'><query xmlns='" + muc.NSAdmin + "'>" + many(maxItems+1, "<item jid='a@b' affiliation='member'/>") + "</query></iq>", "not-acceptable"},
		{"half of it forbidden", "<iq from='admin/1' to='' id='i' type='set'><query xmlns='" + muc.NSAdmin + "'><item jid='a@b' affiliation='member'/><item jid='a@b' affiliation='owner'/></query></iq>", "forbidden"},
		{"no items", "<iq from='owner/1' to='' id='i' type='set'><query xmlns='" + muc.NSAdmin + "'/></iq>", "bad-request"},
		{"OF-2843 an admin bans itself", fmt.Sprintf(item("jid='admin@example.org' affiliation='outcast'"), "admin/1"), "conflict"},
		{"OF-2844 an owner bans itself", fmt.Sprintf(item("jid='owner@example.org' affiliation='outcast'"), "owner/1"), "conflict"},
		{"OF-2865 an admin unmakes an owner", fmt.Sprintf(item("jid='owner2@example.org' affiliation='member'"), "admin/1"), "not-allowed"},
		{"OF-2865 an admin kicks an owner", fmt.Sprintf(item("nick='owner' role='none'"), "admin/1"), "not-allowed"},
		{"OF-2865 an admin takes an owner's voice", fmt.Sprintf(item("nick='owner' role='visitor'"), "admin/1"), "not-allowed"},
		{"a member kicks", fmt.Sprintf(item("nick='none' role='none'"), "member/1"), "forbidden"},
		{"a stranger bans", fmt.Sprintf(item("jid='none@example.org' affiliation='outcast'"), "new/1"), "forbidden"},
		{"no form", owner(""), "bad-request"},
		{"another form", submit("<field var='FORM_TYPE' type='hidden'><value>other</value></field>"), "bad-request"},
		{"a password that is none", submit("<field var='muc#roomconfig_passwordprotectedroom'><value>1</value></field>"), "not-acceptable"},
		{"an option that is none", submit("<field var='muc#roomconfig_whois'><value>nobody</value></field><field var='muc#roomconfig_roomname'><value>Other</value></field>"), "not-acceptable"},
		{"two values of one", submit("<field var='muc#roomconfig_roomname'><value>a</value><value>b</value></field>"), "not-acceptable"},
		{"a name that is too long", submit("<field var='muc#roomconfig_roomname'><value>" + many(5000, "n") + "</value></field>"), "not-acceptable"},
		{"a number that is none", submit("<field var='muc#roomconfig_maxusers'><value>many</value></field>"), "not-acceptable"},
		{"too long a slow mode", submit("<field var='muc#roomconfig_slow_mode_duration'><value>99999999999999999999</value></field>"), "not-acceptable"},
		{"a negative slow mode", submit("<field var='muc#roomconfig_slow_mode_duration'><value>-1</value></field>"), "not-acceptable"},
		{"a node that is none", submit("<field var='muc#roomconfig_pubsub'><value>javascript:x</value></field>"), "not-acceptable"},
		{"an admin that is none", submit("<field var='muc#roomconfig_roomadmins' type='jid-multi'><value>@</value></field>"), "not-acceptable"},
		{"no owner", submit("<field var='muc#roomconfig_roomowners'/>"), "conflict"},
		{"two owners that are admins too", configure("owner/1", rules.FieldOwners, "owner@example.org|a@b", rules.FieldAdmins, "a@b"), "not-acceptable"},
		{"a configuration by an admin", configure("admin/1", rules.FieldName, "x"), "forbidden"},
		{"destroyed by an admin", "<iq from='admin/1' to='' id='i' type='set'><query xmlns='" + muc.NSOwner + "'><destroy/></query></iq>", "forbidden"},
		{"destroyed for an address that is none", owner("<destroy jid='@'/>"), "jid-malformed"},
		{"IQ without a child", iq("owner/1", "", "get", ""), "bad-request"},
		{"a list that is none", iq("owner/1", "", "get", "<query xmlns='"+muc.NSAdmin+"'><item affiliation='king'/></query>"), "bad-request"},
		{"an outsider's IQ to an occupant", iq("new/1", "/owner", "get", "<query xmlns='jabber:iq:version'/>"), "not-acceptable"},
		{"§6.6 an outsider's question", iq("new/1", "/owner", "get", "<query xmlns='"+nsDiscoInfo+"'/>"), "bad-request"},
	} {
		p := withEachAffiliation(t, kept)
		p.SetAffiliation(p.ctx, person("gnome"), affiliations.Entry{Affiliation: rules.AffMember, Nick: "gnome"})
		p.config.Registration = rules.RegistrationOpen
		p.sent = nil
		before := fmt.Sprintf("%+v", p.State())
		p.in(c.xml)
		if len(p.sent) != 1 || p.sent[0].Type != stanza.TypeError || p.sent[0].Err().Condition != c.want {
			t.Errorf("%s: %s", c.name, p.take())
		}
		if after := fmt.Sprintf("%+v", p.State()); after != before {
			t.Errorf("%s changed\n%s\nto\n%s", c.name, before, after)
		}
	}
}
