package room

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// saving is a room whose Save records the changes, or fails if fail is set.
type saving struct {
	*fixture
	changes []Change
	fail    error
	sentBy  int // stanzas that had been sent when Save was called last
}

func newSaving(t *testing.T, change ...func(*Options)) *saving {
	s := &saving{}
	s.fixture = newFixture(t, append(change, func(o *Options) {
		o.Save = func(_ context.Context, c Change) error {
			s.sentBy = len(s.sent)
			if s.fail == nil {
				s.changes = append(s.changes, c)
			}
			return s.fail
		}
	})...)
	s.owner.enter = func(r EnterRequest) (Grant, error) {
		if r.Session.Local() == "ann" {
			return Grant{Affiliation: rules.AffOwner}, nil
		}
		return Grant{}, nil
	}
	s.join("ann/1", "bob/1")
	return s
}

func admin(item string) string {
	return "<iq type='set' id='i' from='ann/1'><query xmlns='" + muc.NSAdmin + "'>" + item + "</query></iq>"
}

// TestFullListRefusesBan: a ban that would exceed the limit of the lists is answered with an error, not a result.
func TestFullListRefusesBan(t *testing.T) {
	s := newSaving(t, func(o *Options) { o.Limits.Affiliations = 2 })
	ban := func(who string) string { return "<item affiliation='outcast' jid='" + who + "@example.org'/>" }
	s.in(admin(ban("x1") + ban("x2")))
	s.want("<message to='x1'…", "<message to='x2' from='room'><x><status code='101'/></x></message>" /* §18.1 */, "<iq to='ann/1' from='room' id='i' type='result'/>")
	s.in(admin(ban("bob")))
	s.wantHas("resource-constraint")
	if _, in := s.BySession(person("bob/1")); !in || s.lists.Len() != 2 {
		t.Errorf("the ban was carried out in part: %v", s.lists)
	}
	// Replacing an entry, or removing one and adding another, does not exceed the limit.
	s.in(admin("<item affiliation='member' jid='x1@example.org'/>"))
	s.want("<message to='x1'…", "<iq to='ann/1' from='room' id='i' type='result'/>")
	s.in(admin("<item affiliation='none' jid='x2@example.org'/>" + ban("x3")))
	s.want("<message to='x2'…", "<message to='x3'…", "<iq to='ann/1' from='room' id='i' type='result'/>")
	if s.lists.Len() != 2 || s.lists.Of(person("x3")) != rules.AffOutcast {
		t.Errorf("lists %v", s.lists)
	}
	if err := s.SetAffiliation(s.ctx, person("x4"), affiliations.Entry{Affiliation: rules.AffMember}); err == nil {
		t.Error("SetAffiliation of a full list")
	}
}

// TestChangeIsSavedBeforeItIsAnnounced tries every kind of Change.
func TestChangeIsSavedBeforeItIsAnnounced(t *testing.T) {
	config := "<iq type='set' id='i' from='ann/1'><query xmlns='" + muc.NSOwner + "'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='FORM_TYPE'><value>" + rules.NSRoomConfig + "</value></field><field var='muc#roomconfig_membersonly'><value>1</value></field></x></query></iq>"
	for _, c := range []struct {
		name, in string
		saved    func(Change) bool
	}{
		{"configuration", config, func(c Change) bool { return c.Config.MembersOnly && c.Info != nil }},
		{"ban", admin("<item affiliation='outcast' jid='bob@example.org'><reason>no</reason></item>"), func(c Change) bool {
			return len(c.Lists) == 1 && c.Lists[0] == affiliations.Change{JID: person("bob"), Entry: affiliations.Entry{Affiliation: rules.AffOutcast, Reason: "no"}}
		}},
		{"subject", "<message type='groupchat' from='ann/1'><subject>new</subject></message>", func(c Change) bool { return c.Subject.Text == "new" }},
		{"destruction", "<iq type='set' id='i' from='ann/1'><query xmlns='" + muc.NSOwner + "'><destroy/></query></iq>", func(c Change) bool { return c.Destroyed }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSaving(t)
			before := fmt.Sprintf("%+v", s.Snapshot())
			s.fail = errors.New("disk is full")
			s.in(c.in)
			if got := s.take(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "internal-server-error") || strings.Contains(got, "disk") {
				t.Errorf("a change that cannot be saved: %s", got)
			}
			if after := fmt.Sprintf("%+v", s.Snapshot()); after != before || s.gone {
				t.Errorf("it changed\n%s\nto\n%s", before, after)
			}
			s.fail = stanza.NotAllowed("No.") // an error for the sender is passed on
			s.in(c.in)
			s.wantHas("not-allowed")
			s.fail = nil
			s.in(c.in)
			if len(s.changes) != 1 || !c.saved(s.changes[0]) {
				t.Errorf("saved %+v", s.changes)
			}
			if s.sentBy != 0 || len(s.sent) == 0 {
				t.Errorf("%d stanzas were sent before the change was saved, %d after", s.sentBy, len(s.sent))
			}
		})
	}
}

// TestInvitationsAreSavedTogether: in a members-only room the invited become members first.
func TestInvitationsAreSavedTogether(t *testing.T) {
	s := newSaving(t, func(o *Options) { o.Limits.Affiliations = 2 })
	if err := s.SetConfig(s.ctx, rules.Config{MembersOnly: true}); err != nil {
		t.Fatal(err)
	}
	s.take()
	invite := func(who ...string) string {
		x := "<message from='ann/1' id='m'><x xmlns='" + muc.NSUser + "'>"
		for _, w := range who {
			x += "<invite to='" + w + "@example.org'/>"
		}
		return x + "</x></message>"
	}
	s.in(invite("x1", "x2", "x3"))
	s.wantHas("resource-constraint")
	if s.lists.Len() != 0 {
		t.Errorf("lists %v", s.lists)
	}
	s.changes = nil
	s.in(invite("x1", "x2"))
	if len(s.changes) != 1 || len(s.changes[0].Lists) != 2 || s.sentBy != 0 || len(s.sent) != 2 {
		t.Errorf("saved %+v, then sent %s", s.changes, s.take())
	}
}

// TestSendManySharesPayload: a broadcast is one call with all receivers, and presence to
// those who see addresses and to those who do not is one call for each group that follows.
func TestSendManySharesPayload(t *testing.T) {
	calls := map[string]int{}
	p := newFixture(t, func(o *Options) {
		send := o.Send
		o.SendMany = func(st *stanza.Stanza, to []stanza.Receiver) {
			if !st.To.IsZero() {
				t.Errorf("a shared stanza has a receiver: %s", st)
			}
			calls[st.Kind.String()]++
			stanza.SendEach(send, []*stanza.Stanza{st}, to)
		}
	})
	p.join("ann/1", "bob/1", "cid/1")
	clear(calls)
	p.in("<message type='groupchat' from='ann/1'><body>hi</body></message>")
	p.join("dan/1")
	if calls["message"] != 1 || calls["presence"] != 1 {
		t.Errorf("calls %v", calls)
	}
}
