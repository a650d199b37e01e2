package room

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
	"pgregory.net/rapid"
)

// versioned is a room whose lists are kept, with an owner "ann".
func versioned(t testing.TB, change ...func(*Options)) *fixture {
	return newFixture(t, append(change, func(o *Options) {
		o.Save = func(context.Context, Change) error { return nil }
		if o.Snapshot == nil {
			o.Snapshot = &Snapshot{Config: o.Config, Affiliations: map[jid.JID]affiliations.Entry{person("ann"): {Affiliation: rules.AffOwner}}}
		}
	})...)
}

// asks lets a session enter that knows a version; "" asks for everything.
func (p *fixture) asks(session, version string) *fixture {
	p.Helper()
	user, _, _ := strings.Cut(session, "/")
	since := ""
	if version != "" {
		since = " since='" + version + "'"
	}
	return p.in("<presence id='in' from='" + session + "' to='/" + user + "'><x xmlns='" + muc.NS + "'><mav xmlns='" + muc.NSVersions + "'" + since + "/></x></presence>")
}

// cache is the affiliations of a room as a client knows them that follows XEP-0463 to the letter.
type cache struct {
	session string
	version string
	known   map[string]string // affiliation by bare JID
	mixed   string            // what was not as expected
}

// follow processes what the room has sent to the client.
func (c *cache) follow(sent []*stanza.Stanza) {
	for _, st := range sent {
		x := st.Child(muc.NSUser, "x")
		mav := x.Child(muc.NSVersions, "mav")
		if st.To != person(c.session) || mav == nil {
			continue
		}
		since, until := mav.Attr("since"), mav.Attr("until")
		self := st.Kind == stanza.Presence && since == ""
		switch {
		case self && until != c.version:
			c.mixed = "own presence has another version: " + st.String()
		case since == "" && !self:
			c.known = map[string]string{}
		case since != "" && since != c.version:
			c.mixed = "a version is missing: " + st.String()
		}
		c.version = until
		for i := range x.Named(muc.NSUser, "item") {
			j, err := jid.Parse(i.Attr("jid"))
			if err != nil || self {
				continue
			}
			if c.known == nil {
				c.known = map[string]string{}
			}
			c.known[j.Bare().String()] = i.Attr("affiliation")
			if i.Attr("affiliation") == "none" {
				delete(c.known, j.Bare().String())
			}
		}
	}
}

// lists returns what a client of those rights should know.
func (p *fixture) readable(outcasts bool) map[string]string {
	known := map[string]string{}
	for j, e := range p.lists.Entries() {
		if e.Affiliation != rules.AffOutcast || outcasts {
			known[j.String()] = string(e.Affiliation)
		}
	}
	return known
}

// XEP-0463 §5.2.1: all, what has changed, nothing if nothing has, and all to who knows a version that is not known.
func TestVersionsOnEntering(t *testing.T) {
	t.Parallel()
	p := versioned(t, func(o *Options) { o.Config = rules.Config{WhoIs: rules.WhoIsAnyone, MembersOnly: true} })
	first := p.lists.Version()
	mav := func(since, until string) string { return stanza.Encode(versionElement(since, until)) }
	const item, own = "<item jid='%s@example.org' affiliation='%s'/>", "<item affiliation='owner'"
	p.asks("ann/1", "")
	if got := p.take(); !strings.HasPrefix(got, "<message to='ann/1' from='room'><x>"+mav("", first)+"<item jid='ann' affiliation='owner'/></x></message>\n<presence ") || !strings.Contains(got, "<x>"+mav("", first)+own) {
		t.Error(got)
	}
	p.in(admin("<item affiliation='member' jid='bob@example.org'/><item affiliation='admin' jid='cat@example.org'/><item affiliation='outcast' jid='eve@example.org'/>")).take()
	p.in("<presence from='ann/1' to='/ann' type='unavailable'/>").take()
	second := p.lists.Version()
	if p.asks("ann/1", first); !strings.HasPrefix(p.take(), "<message to='ann/1' from='room'><x>"+mav(first, second)+"<item jid='bob' affiliation='member'/><item jid='cat' affiliation='admin'/><item jid='eve' affiliation='outcast'/></x></message>\n") {
		t.Error("not what has changed")
	}
	if p.asks("ann/1", second); strings.Contains(p.take(), "<message to='ann/1' from='room'><x>") {
		t.Error("nothing has changed")
	}
	for _, unknown := range []string{"x", strings.Repeat("y", 10_000), first + second} {
		if got := p.asks("ann/1", unknown).take(); !strings.HasPrefix(got, "<message to='ann/1' from='room'><x>"+mav("", second)+"<item jid='ann' affiliation='owner'/><item jid='cat'") {
			t.Errorf("%.20s: %s", unknown, got)
		}
	}
	// A member does not read the list of the banned, and does not learn what was before it belonged to the room (XEP-0463 §6).
	if got := p.asks("bob/1", "").take(); strings.Contains(got, "eve") || !strings.Contains(got, "<item jid='cat' affiliation='admin'/>") {
		t.Error(got)
	}
	p.in("<presence from='bob/1' to='/bob' type='unavailable'/>").take()
	got := p.asks("bob/1", first).take()
	refusal := strings.Index(got, "<message to='bob/1' from='room' id='in' type='error'><error type='auth' by='room'><forbidden")
	if refusal < 0 || refusal > strings.Index(got, "<presence to='bob/1'") || strings.Contains(got, "<item jid='cat' affiliation") || !strings.Contains(got, mav("", second)) {
		t.Error(got)
	}
}

// Who may not read the lists gets an error and no version, and neither does who does not ask (XEP-0463 §5.2.3).
func TestVersionsForOutsiders(t *testing.T) {
	t.Parallel()
	p := versioned(t)
	p.asks("ann/1", "").take()
	if got := p.asks("bob/1", "").take(); strings.Count(got, "mav") != 0 || !strings.HasPrefix(got, "<presence to='ann/1' from='/bob'>") || !strings.Contains(got, "<message to='bob/1' from='room' id='in' type='error'>") {
		t.Error(got)
	}
	if got := p.join("cat/1").in(admin("<item affiliation='member' jid='dan@example.org'/>")).take(); strings.Count(got, "mav") != 1 || !strings.Contains(got, "<message to='ann/1' from='room'><x><mav") {
		t.Error(got)
	}
	bare := newFixture(t) // the lists of a network are not kept
	if got := bare.asks("ann/1", "").take(); strings.Contains(got, "mav") || strings.Contains(got, "error") {
		t.Error(got)
	}
	if strings.Contains(bare.describe(bare.ctx, person("ann/1")).String(), muc.NSVersions) || !strings.Contains(p.describe(p.ctx, person("ann/1")).String(), muc.NSVersions) {
		t.Error("the feature is shown where it is not, or the reverse")
	}
}

// Long lists come in several messages whose versions follow each other.
func TestVersionsOfManyMembers(t *testing.T) {
	t.Parallel()
	many := map[jid.JID]affiliations.Entry{person("ann"): {Affiliation: rules.AffOwner}}
	for i := range 2*itemsAtOnce + 3 {
		many[person(fmt.Sprintf("m%d", i))] = affiliations.Entry{Affiliation: rules.AffMember}
	}
	p := versioned(t, func(o *Options) { o.Snapshot, o.Limits.Affiliations = &Snapshot{Affiliations: many}, 10_000 })
	c := &cache{session: "ann/1"}
	p.asks("ann/1", "")
	messages := 0
	for _, st := range p.sent {
		if st.Kind == stanza.Message && strings.Contains(st.Payload, muc.NSVersions) {
			messages++
		}
	}
	c.follow(p.sent)
	if messages != 3 || c.mixed != "" || !maps.Equal(c.known, p.readable(true)) || c.version != p.lists.Version() {
		t.Error(messages, c.mixed, len(c.known))
	}
}

// No more versions are kept than Kept, and they are saved with the changes that lead to them; a change that cannot be saved leads to none.
func TestVersionsAreSaved(t *testing.T) {
	t.Parallel()
	s := newSaving(t)
	stored := slices.Clone(s.lists.Versions())
	for i := range affiliations.Kept + 10 {
		to := []string{"member", "none"}[i%2]
		s.in(admin("<item affiliation='" + to + "' jid='m@example.org'/>"))
	}
	for _, c := range s.changes {
		stored = append(stored, c.Versions...)
	}
	if n := len(s.lists.Versions()); n != affiliations.Kept || !slices.Equal(stored[len(stored)-n:], s.lists.Versions()) {
		t.Error(n, len(stored))
	}
	for i, v := range stored {
		if v.Position != int64(i+1) {
			t.Fatalf("version %d has position %d", i, v.Position)
		}
	}
	before := s.lists.Version()
	s.in(admin("<item affiliation='none' jid='m@example.org' nick='mm'/>")) // no change of an affiliation
	s.fail = stanza.ResourceConstraint("")
	s.in(admin("<item affiliation='member' jid='m@example.org'/>"))
	if s.lists.Version() != before {
		t.Error("there is a version of what was not changed")
	}
}

// TestVersionsFollowed: clients that know a version and are in the room, or come back later, know the lists of the room at all times, whatever
// owners change; and nobody learns of lists that they may not read.
func TestVersionsFollowed(t *testing.T) {
	t.Parallel()
	people := []string{"ann", "bob", "cat", "dan", "eve"}
	rapid.Check(t, func(rt *rapid.T) {
		hide := rapid.Bool().Draw(rt, "presence of participants is not shown")
		p := versioned(t, func(o *Options) {
			o.Config = rules.Config{WhoIs: rules.WhoIsAnyone}
			if hide {
				o.Config.Broadcast = []rules.Role{rules.RoleModerator}
			}
			o.Snapshot = &Snapshot{Config: o.Config, Affiliations: map[jid.JID]affiliations.Entry{person("ann"): {Affiliation: rules.AffOwner}, person("obs"): {Affiliation: rules.AffMember}}}
		})
		owner, member := &cache{session: "ann/1"}, &cache{session: "obs/1"}
		all := []*cache{owner, member}
		pass := func() {
			for _, c := range all {
				c.follow(p.sent)
				if c.mixed != "" {
					rt.Fatalf("%s: %s", c.session, c.mixed)
				}
			}
			for _, st := range p.sent {
				if st.To == person("obs/1") && strings.Contains(st.String(), "affiliation='outcast'") && st.Kind == stanza.Message {
					rt.Fatalf("a member learns who is banned: %s", st)
				}
			}
			p.sent = nil
		}
		for _, c := range all {
			p.asks(c.session, "")
		}
		pass()
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			who := rapid.SampledFrom(people[1:]).Draw(rt, "who")
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0:
				if !p.lists.Has(person(who)) || p.lists.Of(person(who)) != rules.AffOutcast {
					p.in("<presence from='" + who + "/1' to='/" + who + "'><x xmlns='" + muc.NS + "'/></presence>")
				}
			case 1:
				p.in("<presence from='" + who + "/1' to='/" + who + "' type='unavailable'/>")
			case 2: // a client leaves and comes back with what it knows
				c := rapid.SampledFrom(all).Draw(rt, "client")
				name, _, _ := strings.Cut(c.session, "/")
				p.in("<presence from='" + c.session + "' to='/" + name + "' type='unavailable'/>")
				pass()
				other := rapid.SampledFrom(people[1:]).Draw(rt, "other")
				if err := p.SetAffiliation(p.ctx, person(other), affiliations.Entry{Affiliation: rules.AffAdmin}); err != nil {
					rt.Fatal(err)
				}
				for _, o := range all {
					if o != c {
						o.follow(p.sent)
					}
				}
				p.sent = nil
				p.asks(c.session, c.version)
			default:
				a := rapid.SampledFrom([]rules.Affiliation{rules.AffNone, rules.AffMember, rules.AffAdmin, rules.AffOwner, rules.AffOutcast}).Draw(rt, "affiliation")
				if err := p.SetAffiliation(p.ctx, person(who), affiliations.Entry{Affiliation: a}); err != nil {
					rt.Fatal(err)
				}
			}
			pass()
			if !maps.Equal(owner.known, p.readable(true)) || owner.version != p.lists.Version() {
				rt.Fatalf("the owner knows %v of %v", owner.known, p.readable(true))
			}
			got := maps.Clone(member.known) // presence has shown who was banned in the room
			maps.DeleteFunc(got, func(_, affiliation string) bool { return affiliation == string(rules.AffOutcast) })
			if !maps.Equal(got, p.readable(false)) || member.version != p.lists.Version() {
				rt.Fatalf("a member knows %v of %v", got, p.readable(false))
			}
		}
	})
}
