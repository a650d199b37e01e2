package archive

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

var (
	ann  = jid.MustParse("ann@example.org")
	one  = jid.MustParse("ann@example.org/1")
	room = jid.MustParse("coven@chat.example.org")
	day  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// memory is a Store of one archive, written as plainly as possible.
type memory struct {
	entries []Entry
	prefs   Prefs
	last    Filter
	broken  error
}

func (m *memory) index(id string) (int, error) {
	for i, e := range m.entries {
		if e.ID == id {
			return i, nil
		}
	}
	return 0, ErrNoEntry
}

func (m *memory) Query(_ context.Context, archive jid.JID, f Filter, p Page) (Result, error) {
	m.last = f
	if m.broken != nil {
		return Result{}, m.broken
	}
	from, to := 0, len(m.entries)
	for _, id := range []string{p.After, f.AfterID} {
		if id != "" {
			i, err := m.index(id)
			if err != nil {
				return Result{}, err
			}
			from = max(from, i+1)
		}
	}
	for _, id := range []string{p.Before, f.BeforeID} {
		if id != "" {
			i, err := m.index(id)
			if err != nil {
				return Result{}, err
			}
			to = min(to, i)
		}
	}
	for _, id := range f.IDs {
		if _, err := m.index(id); err != nil {
			return Result{}, err
		}
	}
	var all []Entry
	for i := from; i < to; i++ {
		if e := m.entries[i]; matches(archive, f, e) {
			all = append(all, e)
		}
	}
	r := Result{Entries: all, Complete: len(all) <= p.Max, Count: len(all), Index: 0}
	if !r.Complete && p.Backwards {
		r.Index = len(all) - p.Max
		r.Entries = all[r.Index:]
	} else if !r.Complete {
		r.Entries = all[:p.Max]
	}
	return r, nil
}

func matches(archive jid.JID, f Filter, e Entry) bool {
	is := func(j jid.JID) bool { return j == f.With || f.With.IsBare() && j.Bare() == f.With }
	switch {
	case !f.Start.IsZero() && e.At.Before(f.Start), !f.End.IsZero() && e.At.After(f.End):
		return false
	case len(f.IDs) > 0 && !slices.Contains(f.IDs, e.ID):
		return false
	case f.With.IsZero():
		return true
	case f.With == archive:
		return is(e.Stanza.From) && is(e.Stanza.To)
	}
	return is(e.Stanza.From) || is(e.Stanza.To)
}

func (m *memory) Ends(context.Context, jid.JID) (first, last Mark, err error) {
	if len(m.entries) == 0 {
		return Mark{}, Mark{}, nil
	}
	a, z := m.entries[0], m.entries[len(m.entries)-1]
	return Mark{a.ID, a.At}, Mark{z.ID, z.At}, nil
}

func (m *memory) Prefs(context.Context, jid.JID) (Prefs, error) { return m.prefs, nil }

func (m *memory) SetPrefs(_ context.Context, _ jid.JID, p Prefs) error {
	m.prefs = p
	return nil
}

// filled is an archive of messages m1 to m5, one an hour, from bob, eve, bob, …
func filled() *memory {
	m := &memory{}
	for i := 1; i <= 5; i++ {
		who := []string{"bob@example.net/x", "eve@example.net/y"}[(i+1)%2]
		st := stanza.NewMessage(one, jid.MustParse(who), stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint("text ", i)))
		st.ID = fmt.Sprint("id", i)
		m.entries = append(m.entries, Entry{ID: fmt.Sprint("m", i), At: day.Add(time.Duration(i) * time.Hour), Stanza: st})
	}
	return m
}

// A page ends before it is too large for the client's queue; the client goes on behind it.
func TestPageBytes(t *testing.T) {
	t.Parallel()
	m := filled()
	for i := range m.entries {
		m.entries[i].Stanza.Payload = "<body>" + strings.Repeat("x", pageBytes/2) + "</body>"
	}
	p := newArchiveTest(t, m)
	for inner, want := range map[string]string{
		"":                                      "m1 m2 " + ended("", "m1", "m2", "0", "5"),
		set("<after>m2</after>"):                "m3 m4 " + ended("", "m3", "m4", "0", "3"),
		set("<after>m4</after>"):                "m5 " + ended(" complete='true'", "m5", "m5", "0", "1"),
		set("<max>10</max><before/>"):           "m4 m5 " + ended("", "m4", "m5", "3", "5"),
		set("<max>10</max><before>m4</before>"): "m2 m3 " + ended("", "m2", "m3", "1", "3"),
		set("<max>1</max>"):                     "m1 " + ended("", "m1", "m1", "0", "5"),
	} {
		if got := p.ask("set", query(inner)); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", inner, got, want)
		}
	}
}

type archiveTest struct {
	*testing.T
	Engine *Engine
	req    Request
	sent   []*stanza.Stanza
}

func newArchiveTest(t *testing.T, s Store) *archiveTest {
	return &archiveTest{T: t, Engine: New(Options{Store: s}), req: Request{Archive: ann}}
}

// ask sends an IQ and gives the ids of the results and the answer, or the condition.
func (p *archiveTest) ask(typ, xml string) string {
	p.Helper()
	e, err := stanza.ParseElement(xml, NS)
	if err != nil {
		p.Fatal(err)
	}
	p.sent = nil
	p.req.IQ = stanza.NewIQ(p.req.Archive, one, typ, e)
	answer, err := p.Engine.Handle(p.Context(), p.req, func(s *stanza.Stanza) { p.sent = append(p.sent, s) })
	if err != nil {
		var se *stanza.Error
		if errors.As(err, &se) {
			return se.Condition
		}
		return "fault " + err.Error()
	}
	var ids []string
	for _, s := range p.sent {
		ids = append(ids, s.Child(NS, "result").Attr("id"))
	}
	return strings.Join(append(ids, regexp.MustCompile(` xmlns='[^']*'`).ReplaceAllString(answer.String(), "")), " ")
}

func query(inner string) string { return "<query xmlns='" + NS + "'>" + inner + "</query>" }

func fields(pairs ...string) string {
	f := form.New(form.Submit, NS, "")
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], strings.Split(pairs[i+1], "|")...)
	}
	return f.Element().String()
}

func set(inner string) string {
	return "<set xmlns='http://jabber.org/protocol/rsm'>" + inner + "</set>"
}

func ended(attrs, first, last, index, count string) string {
	s := "<fin" + attrs + "><set>"
	if first != "" {
		s += "<first index='" + index + "'>" + first + "</first><last>" + last + "</last>"
	}
	return s + "<count>" + count + "</count></set></fin>"
}

func TestQuery(t *testing.T) {
	t.Parallel()
	const done = " complete='true'"
	p := newArchiveTest(t, filled())
	for _, c := range []struct{ name, inner, want string }{
		{"all", "", "m1 m2 m3 m4 m5 " + ended(done, "m1", "m5", "0", "5")},
		{"§4.3.1 first page", set("<max>2</max>"), "m1 m2 " + ended("", "m1", "m2", "0", "5")},
		{"§4.3.2 next page", set("<max>2</max><after>m2</after>"), "m3 m4 " + ended("", "m3", "m4", "0", "3")},
		{"§4.3.2 last page forwards", set("<max>2</max><after>m4</after>"), "m5 " + ended(done, "m5", "m5", "0", "1")},
		{"§4.3.3 last page", set("<max>2</max><before/>"), "m4 m5 " + ended("", "m4", "m5", "3", "5")},
		{"page before", set("<max>2</max><before>m3</before>"), "m1 m2 " + ended(done, "m1", "m2", "0", "2")},
		{"§4.3.4 flipped", set("<max>2</max><before/>") + "<flip-page/>", "m5 m4 " + ended("", "m4", "m5", "3", "5")},
		{"behind the end", set("<after>m5</after>"), ended(done, "", "", "", "0")},
		{"§4.3.2 unknown after", set("<after>zz</after>"), "item-not-found"},
		{"§4.3.2 unknown before", set("<before>zz</before>"), "item-not-found"},
		{"hostile after", set("<after>' OR 1=1 --</after>"), "item-not-found"},
		{"endless after", set("<after>" + strings.Repeat("x", 5000) + "</after>"), "bad-request"},
		{"negative max", set("<max>-5</max>"), "bad-request"},
		{"by index", set("<index>3</index>"), "feature-not-implemented"},
		{"count alone", set("<max>0</max>"), ended("", "", "", "", "5")},
		{"§4.1.1 with, bare", fields("with", "bob@example.net"), "m1 m3 m5 " + ended(done, "m1", "m5", "0", "3")},
		{"§4.1.1 with, full", fields("with", "bob@example.net/z"), ended(done, "", "", "", "0")},
		{"§4.1.1 with, self", fields("with", "ann@example.org"), ended(done, "", "", "", "0")},
		{"§4.1.1 with, folded", fields("with", "EVE@Example.Net"), "m2 m4 " + ended(done, "m2", "m4", "0", "2")},
		{"with, malformed", fields("with", "@@"), "bad-request"},
		{"§4.1.2 start", fields("start", "2026-03-01T16:00:00Z"), "m4 m5 " + ended(done, "m4", "m5", "0", "2")},
		{"§4.1.2 end, other zone", fields("end", "2026-03-01T15:30:00+01:30"), "m1 m2 " + ended(done, "m1", "m2", "0", "2")},
		{"§4.1.2 span", fields("start", "2026-03-01T14:00:00Z", "end", "2026-03-01T14:00:00Z"), "m2 " + ended(done, "m2", "m2", "0", "1")},
		{"not a time", fields("start", "yesterday"), "bad-request"},
		{"§4.1.3 after-id", fields("after-id", "m3"), "m4 m5 " + ended(done, "m4", "m5", "0", "2")},
		{"§4.1.3 between", fields("after-id", "m1", "before-id", "m4"), "m2 m3 " + ended(done, "m2", "m3", "0", "2")},
		{"§4.1.3 unknown id", fields("before-id", "zz"), "item-not-found"},
		{"§4.1.3 endless id", fields("before-id", strings.Repeat("z", 2000)), "item-not-found"},
		{"§4.1.3 ids", fields("ids", "m2|m5"), "m2 m5 " + ended(done, "m2", "m5", "0", "2")},
		{"§4.1.3 unknown among ids", fields("ids", "m2|zz"), "item-not-found"},
		{"too many ids", fields("ids", manyIDs()), "policy-violation"},
		{"§4.1.5 unknown field", fields("colour", "red"), "feature-not-implemented"},
		{"form of another type", "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>other</value></field></x>", "bad-request"},
		{"form not submitted", "<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>" + NS + "</value></field></x>", "bad-request"},
		{"two values", fields("with", "a@b|c@d"), "bad-request"},
	} {
		if got := p.ask(stanza.TypeSet, query(c.inner)); got != c.want {
			t.Errorf("%s: got %s\nwant %s", c.name, got, c.want)
		}
	}
	if got := p.ask(stanza.TypeSet, "<query queryid='"+strings.Repeat("q", 300)+"'/>"); got != "bad-request" {
		t.Errorf("endless query id: %s", got)
	}
}

func manyIDs() string {
	var ids []string
	for i := range 101 {
		ids = append(ids, fmt.Sprint(i))
	}
	return strings.Join(ids, "|")
}

func TestPageLimit(t *testing.T) {
	t.Parallel()
	m := &memory{}
	for i := range 300 {
		m.entries = append(m.entries, Entry{ID: fmt.Sprint(i), At: day, Stanza: stanza.NewMessage(one, ann, "")})
	}
	p := newArchiveTest(t, m)
	p.ask(stanza.TypeSet, query(""))
	if len(p.sent) != 50 {
		t.Errorf("%d without a wish", len(p.sent))
	}
	if got := p.ask(stanza.TypeSet, query(set("<max>5000</max>"))); len(p.sent) != 100 || strings.Contains(got, "complete") {
		t.Errorf("%d with a wish: %s", len(p.sent), got)
	}
	p.ask(stanza.TypeSet, query(set("<max>5000</max><before/>")))
	if id := p.sent[99].Child(NS, "result").Attr("id"); id != "299" {
		t.Errorf("the last of the last page is %s", id)
	}
}

// greedy gives more than it is asked for.
type greedy struct{ *memory }

func (g greedy) Query(ctx context.Context, a jid.JID, f Filter, p Page) (Result, error) {
	p.Max = 1000
	return g.memory.Query(ctx, a, f, p)
}

func TestGreedyStoreIsCut(t *testing.T) {
	t.Parallel()
	p := newArchiveTest(t, greedy{filled()})
	if got := p.ask(stanza.TypeSet, query(set("<max>2</max><before/>"))); got != "m4 m5 "+ended("", "m4", "m5", "0", "5") {
		t.Error(got)
	}
}

func TestResultMessage(t *testing.T) { // XEP-0313 §4.2
	t.Parallel()
	p := newArchiveTest(t, filled())
	p.ask(stanza.TypeSet, "<query queryid='f&apos;&lt;&#10;27'>"+set("<max>1</max>")+"</query>")
	got := p.sent[0]
	if got.To != one || got.From != ann {
		t.Errorf("from %s to %s", got.From, got.To)
	}
	want := "<result xmlns='urn:xmpp:mam:2' queryid='f&apos;&lt;&#10;27' id='m1'><forwarded xmlns='urn:xmpp:forward:0'>" +
		"<delay xmlns='urn:xmpp:delay' stamp='2026-03-01T13:00:00.000000Z'/>" +
		"<message xmlns='jabber:client' to='ann@example.org/1' from='bob@example.net/x' id='id1' type='chat'><body>text 1</body></message></forwarded></result>"
	if got.Payload != want {
		t.Errorf("got  %s\nwant %s", got.Payload, want)
	}
	inner := got.Child(NS, "result").Child("urn:xmpp:forward:0", "forwarded").Child(stanza.NSClient, "message")
	if inner.ChildText("", "body") != "text 1" {
		t.Error("the message cannot be read back")
	}
}

func TestRoomArchive(t *testing.T) { // XEP-0313 §6.1
	t.Parallel()
	m := &memory{entries: []Entry{
		{ID: "a", At: day, Stanza: stanza.NewMessage(jid.MustParse("x@y"), jid.MustParse("coven@chat.example.org/ann"), stanza.TypeGroupchat, stanza.TextElement("", "body", "hi"))},
		{ID: "b", At: day},
	}}
	p := newArchiveTest(t, m)
	p.req.Archive, p.req.Room = room, true
	p.ask(stanza.TypeSet, query(""))
	if s := p.sent[0].String(); strings.Contains(s, "x@y") || !strings.Contains(s, "from='coven@chat.example.org/ann'") {
		t.Errorf("receiver shown: %s", s)
	}
	if s := p.sent[1].Payload; strings.Contains(s, "<message") || !strings.Contains(s, "<delay") { // XEP-0313 §3.2
		t.Errorf("place without content: %s", s)
	}
	if got := p.ask(stanza.TypeSet, query(fields("with", "ann@example.org"))); got != "forbidden" { // §4.1.1
		t.Errorf("a real address finds its messages: %s", got)
	}
	if got := p.ask(stanza.TypeSet, query(fields("with", "coven@chat.example.org/ann", "ids", "a"))); !strings.HasPrefix(got, "a <fin") {
		t.Errorf("by nick: %s", got)
	}
	p.req.SeesJIDs = true
	p.Engine.opts.Rewrite = func(_ Request, e Entry) *stanza.Stanza { return e.Stanza.With(stanza.TextElement("x", "jid", "real")) }
	if p.ask(stanza.TypeSet, query(fields("ids", "a"))); !strings.Contains(p.sent[0].Payload, ">real<") {
		t.Error("not rewritten")
	}
	if got := p.ask(stanza.TypeSet, query(fields("include-groupchat", "1"))); got != "feature-not-implemented" {
		t.Errorf("a room's archive has no include-groupchat: %s", got)
	}
	if got := p.ask(stanza.TypeGet, "<prefs/>"); got != "feature-not-implemented" {
		t.Errorf("preferences of a room: %s", got)
	}
}

func TestFormAndMetadata(t *testing.T) {
	t.Parallel()
	m := filled()
	p := newArchiveTest(t, m)
	p.Engine = New(Options{Store: m, Search: true, Groupchat: true})
	got := p.ask(stanza.TypeGet, query("")) // XEP-0313 §4.1.5
	for _, f := range []string{"'with' type='jid-single'", "'start' type='text-single'", "'end' type='text-single'", "'before-id'", "'after-id'", "'ids' type='list-multi'><validate datatype='xs:string'><open/>", "fulltext'", "'include-groupchat' type='boolean'"} {
		if !strings.Contains(got, f) {
			t.Errorf("no %s in %s", f, got)
		}
	}
	p.ask(stanza.TypeSet, query(fields("{urn:xmpp:fulltext:0}fulltext", "witch", "include-groupchat", "false")))
	if m.last.Words == nil || !m.last.Words.Match("the Witch") || m.last.Groupchat == nil || *m.last.Groupchat {
		t.Errorf("%+v", m.last)
	}
	if got := p.ask(stanza.TypeGet, "<metadata/>"); got != "<metadata><start id='m1' timestamp='2026-03-01T13:00:00.000000Z'/><end id='m5' timestamp='2026-03-01T17:00:00.000000Z'/></metadata>" { // §5
		t.Error(got)
	}
	m.entries = nil
	if got := p.ask(stanza.TypeGet, "<metadata/>"); got != "<metadata/>" {
		t.Error(got)
	}
	if !slices.Contains(p.Engine.Features(false), groupStore) || slices.Contains(p.Engine.Features(true), groupField) || !slices.Contains(p.Engine.Features(true), Extended) {
		t.Error("features") // §7
	}
	m.broken = errors.New("disk")
	if got := p.ask(stanza.TypeSet, query("")); got != "fault disk" {
		t.Error(got)
	}
	for _, c := range [][2]string{{stanza.TypeSet, "<metadata/>"}, {stanza.TypeSet, "<other/>"}, {stanza.TypeGet, "<fin/>"}} {
		if got := p.ask(c[0], c[1]); got != "feature-not-implemented" {
			t.Errorf("%v: %s", c, got)
		}
	}
}

func TestPrefs(t *testing.T) { // XEP-0441 §3
	t.Parallel()
	m := &memory{}
	p := newArchiveTest(t, m)
	if got := p.ask(stanza.TypeGet, "<prefs/>"); got != "<prefs default='always'><always/><never/></prefs>" {
		t.Error(got)
	}
	set := "<prefs default='roster'><always><jid>bob@example.net</jid><jid>BOB@example.net</jid></always><never><jid>eve@example.net</jid></never></prefs>"
	if got := p.ask(stanza.TypeSet, set); got != "<prefs default='roster'><always><jid>bob@example.net</jid></always><never><jid>eve@example.net</jid></never></prefs>" {
		t.Error(got)
	}
	for _, c := range []struct {
		who    string
		roster bool
		want   bool
	}{
		{"bob@example.net/x", false, true}, {"eve@example.net/x", true, false},
		{"joe@example.net", true, true}, {"joe@example.net", false, false},
	} {
		if got := m.prefs.Archives(jid.MustParse(c.who), c.roster); got != c.want {
			t.Errorf("%v: %v", c, got)
		}
	}
	if got := p.ask(stanza.TypeSet, "<prefs default='sometimes'/>"); got != "bad-request" {
		t.Error(got)
	}
	if got := p.ask(stanza.TypeSet, "<prefs default='always'><never><jid>@</jid></never></prefs>"); got != "jid-malformed" {
		t.Error(got)
	}
	var many strings.Builder
	for i := range maxContacts + 1 {
		fmt.Fprintf(&many, "<jid>u%d@example.net</jid>", i)
	}
	if got := p.ask(stanza.TypeSet, "<prefs default='never'><never>"+many.String()+"</never></prefs>"); got != "not-acceptable" {
		t.Error(got)
	}
}

func FuzzQuery(f *testing.F) {
	f.Add(query(fields("with", "bob@example.net", "ids", "m1|m2") + set("<max>3</max><before/>") + "<flip-page/>"))
	f.Add(query(fields("start", "2026-03-01T12:00:00Z", "before-id", "m3")))
	f.Fuzz(func(t *testing.T, xml string) {
		e, err := stanza.ParseElement(xml, NS)
		if err != nil {
			return
		}
		n := 0
		iq := stanza.NewIQ(ann, one, stanza.TypeSet, e)
		answer, err := New(Options{Store: filled()}).Handle(t.Context(), Request{Archive: ann, IQ: iq}, func(s *stanza.Stanza) {
			n++
			if s.Child(NS, "result") == nil {
				t.Fatalf("no result in %s", s)
			}
		})
		if n > 5 || (answer == nil) == (err == nil) {
			t.Fatalf("%d results, %v, %v", n, answer, err)
		}
	})
}
