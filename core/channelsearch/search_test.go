package channelsearch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// list is a Source.
type list []Channel

func (l list) Channels(_ context.Context, _ jid.JID, each func(*Channel)) error {
	for i := range l {
		each(&l[i])
	}
	return nil
}

func room(local, name, description string, users int) Channel {
	return Channel{Address: jid.MustParse(local + "@muc.example"), Name: name, Description: description, Users: users, Open: true}
}

var known = list{
	room("cave", "A Dark Cave", "For witches", 3),
	room("heath", "The Heath", "Thunder, lightning & rain", 0),
	room("castle", "ÉLSINORE castle", "", 12),
	room("abbey", "", "Witches meet no monks", 3),
}

func newSearch(source Source, l Limits) *Search {
	return New(Options{Source: source, Limits: func() Limits { return l }, Local: local})
}

func local(who jid.JID) bool { return who.Domain() == "example.org" }

func request(typ, content string) *stanza.Stanza {
	x, err := stanza.ParseElement("<search xmlns='"+NS+"'>"+content+"</search>", "")
	if err != nil {
		panic(err)
	}
	st := &stanza.Stanza{Kind: stanza.IQ, Type: typ, ID: "1", From: jid.MustParse("hag@example.org/desk"), To: jid.MustParse("muc.example")}
	return st.With(x)
}

func fields(pairs ...string) string {
	x := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + nsParams + "</value></field>"
	for i := 0; i < len(pairs); i += 2 {
		x += "<field var='" + pairs[i] + "'><value>" + pairs[i+1] + "</value></field>"
	}
	return x + "</x>"
}

func set(content string) string {
	return "<set xmlns='http://jabber.org/protocol/rsm'>" + content + "</set>"
}

// addresses are the localparts of what was found, in order.
func addresses(x *stanza.Element) string {
	var list []string
	for i := range x.Named(NS, "item") {
		local, _, _ := strings.Cut(i.Attr("address"), "@")
		list = append(list, local)
	}
	return strings.Join(list, " ")
}

// XEP-0433 §4.2, §5, §6
func TestFound(t *testing.T) {
	t.Parallel()
	s := newSearch(known, Limits{Results: 10})
	for _, c := range []struct{ what, form, want string }{
		{"in names", fields("q", "CAVE"), "cave"},
		{"in descriptions", fields("q", "witches"), "abbey cave"},
		{"in addresses", fields("q", "heath@muc"), "heath"},
		{"letters of any script", fields("q", "élsi"), "castle"},
		{"all words", fields("q", "witches cave"), "cave"},
		{"a word of signs is left out", fields("q", "- cave"), "cave"},
		{"nothing", fields("q", "tavern"), ""},
		{"not in descriptions", fields("q", "witches", "sindescription", "0"), ""},
		{"not in names", fields("q", "dark", "sinname", "false"), ""},
		{"not in addresses", fields("q", "abbey", "sinaddress", "0"), ""},
		{"not in addresses, as the example writes it", fields("q", "abbey", "sinaddr", "0"), ""},
		{"all, the largest first", fields("all", "1"), "castle abbey cave heath"},
		{"all by address", fields("all", "true", "key", byAddress), "abbey castle cave heath"},
		{"not the empty ones", fields("all", "1", "min_users", "1"), "castle abbey cave"},
		{"not the small ones", fields("all", "1", "min_users", "4"), "castle"},
		{"of a kind", fields("all", "1", "types", typeMUC), "castle abbey cave heath"},
		{"of another kind", fields("all", "1", "types", "xep-0369"), ""},
		{"an unknown field", fields("all", "1", "{urn:example}more", "x"), "castle abbey cave heath"},
	} {
		x, err := s.Handle(t.Context(), request(stanza.TypeGet, c.form))
		if err != nil || !x.Is(NS, "result") || addresses(x) != c.want {
			t.Errorf("%s: %s, %v, want %q", c.what, x, err, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := newSearch(known, Limits{Results: 10})
	for _, c := range []struct{ what, form, condition, typ, app string }{
		{"no condition", fields(), "bad-request", "cancel", "no-search-conditions"},
		{"an empty condition", fields("q", "  "), "bad-request", "cancel", "no-search-conditions"},
		{"all and words", fields("all", "1", "q", "cave"), "bad-request", "modify", "conflicting-fields"},
		{"nowhere", fields("q", "cave", "sinname", "0", "sindescription", "0", "sinaddress", "0"), "bad-request", "modify", "conflicting-fields"},
		{"no word", fields("q", "--- ,"), "bad-request", "modify", "invalid-search-terms"},
		{"too long", fields("q", strings.Repeat("ab ", 400)), "bad-request", "modify", "invalid-search-terms"},
		{"too many words", fields("q", "a b c d e f g h i j k"), "bad-request", "modify", "invalid-search-terms"},
		{"an unknown key", fields("all", "1", "key", "{urn:example}age"), "feature-not-implemented", "modify", "invalid-sort-key"},
		{"an empty key", fields("all", "1", "key", ""), "feature-not-implemented", "modify", "invalid-sort-key"},
		{"no boolean", fields("all", "yes"), "bad-request", "modify", ""},
		{"no number", fields("all", "1", "min_users", "-1"), "bad-request", "modify", ""},
		{"another form", strings.ReplaceAll(fields("all", "1"), nsParams, "jabber:iq:search"), "bad-request", "modify", ""},
		{"not submitted", strings.ReplaceAll(fields("all", "1"), "submit", "form"), "bad-request", "modify", ""},
		{"a malformed page", set("<max>many</max>") + fields("all", "1"), "bad-request", "modify", ""},
		{"a page by number", set("<max>1</max><index>2</index>") + fields("all", "1"), "feature-not-implemented", "cancel", ""},
		{"an id that is none", set("<after>cave</after>") + fields("all", "1"), "item-not-found", "cancel", ""},
	} {
		x, err := s.Handle(t.Context(), request(stanza.TypeGet, c.form))
		var e *stanza.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %s, %v", c.what, x, err)
			continue
		}
		app := ""
		if e.App != nil {
			app = e.App.Local
		}
		if e.Condition != c.condition || e.Type != c.typ || app != c.app {
			t.Errorf("%s: %s of type %s with %s", c.what, e.Condition, e.Type, app)
		}
	}
	if _, err := s.Handle(t.Context(), request(stanza.TypeSet, fields("all", "1"))); err == nil {
		t.Error("a search is answered that is no question")
	}
}

// The form to fill in has the values that count where a field is left out (XEP-0433 §5).
func TestForm(t *testing.T) {
	t.Parallel()
	s := newSearch(known, Limits{PerMinute: 1, Results: 10})
	for range 3 { // it is no search
		x, err := s.Handle(t.Context(), request(stanza.TypeGet, ""))
		if err != nil || !x.Is(NS, "search") {
			t.Fatal(x, err)
		}
		text := x.String()
		for _, want := range []string{nsParams, "var='q'", "var='all'", "var='sinname'", "var='sindescription'", "var='sinaddress'", "var='types'", "var='key'", "var='min_users'", byAddress} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is missing: %s", want, text)
			}
		}
	}
}

// Pages go on where the one before has ended, in both directions and in both orders, also if that room is gone.
func TestPages(t *testing.T) {
	t.Parallel()
	var many list
	for i := range 25 {
		many = append(many, room(fmt.Sprintf("r%02d", i), "", "", i/3))
	}
	for _, key := range []string{byUsers, byAddress} {
		s := newSearch(slices.Clone(many), Limits{Results: 10})
		ask := func(page string) *stanza.Element {
			t.Helper()
			x, err := s.Handle(t.Context(), request(stanza.TypeGet, page+fields("all", "1", "key", key)))
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		whole := newSearch(many, Limits{Results: 100})
		x, err := whole.Handle(t.Context(), request(stanza.TypeGet, fields("all", "1", "key", key)))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(addresses(x))
		var got []string
		for page := ""; ; {
			x := ask(page)
			some := strings.Fields(addresses(x))
			if len(some) == 0 {
				break
			}
			rsm := x.Child("http://jabber.org/protocol/rsm", "set")
			first := rsm.Child(rsm.Space, "first")
			if first.Attr("index") != fmt.Sprint(len(got)) || rsm.ChildText(rsm.Space, "count") != "25" {
				t.Errorf("%s: %s", key, rsm)
			}
			got = append(got, some...)
			page = set("<max>7</max><after>" + rsm.ChildText(rsm.Space, "last") + "</after>")
		}
		if len(want) != 25 || !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
		got = nil
		for page := set("<max>4</max><before/>"); ; {
			x := ask(page)
			some := strings.Fields(addresses(x))
			if len(some) == 0 {
				break
			}
			got = append(some, got...)
			rsm := x.Child("http://jabber.org/protocol/rsm", "set")
			page = set("<max>4</max><before>" + rsm.ChildText(rsm.Space, "first") + "</before>")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, backwards: %v, want %v", key, got, want)
		}
		s.Source = slices.DeleteFunc(slices.Clone(many), func(c Channel) bool { return c.Address.Local() == want[3] })
		gone := position{users: 0, address: want[3] + "@muc.example"}
		if key == byUsers {
			gone.users = (int(want[3][1]-'0')*10 + int(want[3][2]-'0')) / 3
		}
		if got := addresses(ask(set("<max>1</max><after>" + gone.id(key == byUsers) + "</after>"))); got != want[4] {
			t.Errorf("%s: behind a room that is gone comes %s, not %s", key, got, want[4])
		}
		if x := ask(set("<max>0</max>")); addresses(x) != "" || !strings.Contains(x.String(), "<count>24</count>") {
			t.Error(x)
		}
	}
}

// An item says who may enter and who sees addresses (XEP-0433 §6.2); texts are cut.
func TestItem(t *testing.T) {
	t.Parallel()
	c := room("a", "", strings.Repeat("é", maxText), 1)
	c.Open, c.ShowsJIDs, c.Language = false, true, "en"
	x := c.element()
	if x.ChildText(NS, "name") != "a" || x.Child(NS, "is-open") != nil || x.ChildText(NS, "anonymity-mode") != anonymityNone || x.ChildText(NS, "language") != "en" ||
		x.ChildText(NS, "nusers") != "1" || x.ChildText(NS, "service-type") != typeMUC || len(x.ChildText(NS, "description")) != maxText {
		t.Error(x)
	}
	c.Open, c.ShowsJIDs = true, false
	if x := c.element(); x.Child(NS, "is-open") == nil || x.ChildText(NS, "anonymity-mode") != anonymityPartial {
		t.Error(x)
	}
}

// Who searches too often has to wait, and is told how long (XEP-0433 §4.2.2.4). Others may search.
func TestRate(t *testing.T) {
	t.Parallel()
	s := newSearch(known, Limits{PerMinute: 2, Results: 10})
	refused := 0
	for range 5 {
		_, err := s.Handle(t.Context(), request(stanza.TypeGet, fields("all", "1")))
		var e *stanza.Error
		if errors.As(err, &e) {
			refused++
			if e.Condition != "resource-constraint" || e.Type != "wait" || e.App == nil || e.App.Local != "rate-limit" || e.App.Attr("retry-after") != "30" {
				t.Error(e.Element())
			}
		}
	}
	other := request(stanza.TypeGet, fields("all", "1"))
	other.From = jid.MustParse("other@example.org/x")
	if _, err := s.Handle(t.Context(), other); refused != 3 || s.Limited.Load() != 3 || err != nil {
		t.Error(refused, s.Limited.Load(), err)
	}
}

// waiting is a Source that takes its time.
type waiting struct{ begun, end chan struct{} }

func (w waiting) Channels(context.Context, jid.JID, func(*Channel)) error {
	w.begun <- struct{}{}
	<-w.end
	return nil
}

// No more than some searches run at the same time, whoever asks.
func TestTooManyAtOnce(t *testing.T) {
	t.Parallel()
	w := waiting{make(chan struct{}), make(chan struct{})}
	s := newSearch(w, Limits{Results: 10})
	done := make(chan error, maxRunning)
	for range maxRunning {
		go func() {
			_, err := s.Handle(context.Background(), request(stanza.TypeGet, fields("all", "1")))
			done <- err
		}()
		<-w.begun
	}
	if _, err := s.Handle(t.Context(), request(stanza.TypeGet, fields("all", "1"))); err == nil {
		t.Error("one more runs")
	}
	close(w.end)
	for range maxRunning {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// The limiter forgets those who have not searched for a while, and does not grow without end.
func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	var l limiter
	for i := range 2 * maxRemembered {
		l.wait(jid.MustParse(fmt.Sprintf("u%d@example.org", i)), 1)
	}
	if len(l.by) > maxRemembered+2 {
		t.Error(len(l.by))
	}
}

func FuzzQuery(f *testing.F) {
	f.Add(fields("q", "a"), "5 a@b")
	f.Add(fields("all", "1"), "")
	f.Fuzz(func(t *testing.T, form, after string) {
		x, err := stanza.ParseElement("<search xmlns='"+NS+"'>"+form+"</search>", "")
		if err != nil {
			return
		}
		s := newSearch(known, Limits{Results: 2})
		st := &stanza.Stanza{Kind: stanza.IQ, Type: stanza.TypeGet, From: jid.MustParse("hag@example.org/desk")}
		if found, err := s.Handle(t.Context(), st.With(x)); err == nil && len(strings.Fields(addresses(found))) > 2 {
			t.Error(found)
		}
		_, _ = parsePosition(after, true)
	})
}

// Addresses that another server makes up use up neither the rate nor the turns of accounts of this one.
func TestManyForeignSearchers(t *testing.T) {
	t.Parallel()
	s := newSearch(known, Limits{Results: 10, PerMinute: 1})
	ask := request(stanza.TypeGet, fields("q", "cave"))
	refused := 0
	for i := range maxRemembered + 10 {
		ask.From = jid.MustParse(fmt.Sprintf("x%d@evil.test/y", i))
		if _, err := s.Handle(t.Context(), ask); err != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Error("none of them was refused")
	}
	s.foreign.running.Store(maxRunning)
	if x, err := s.Handle(t.Context(), request(stanza.TypeGet, fields("q", "cave"))); err != nil || addresses(x) != "cave" {
		t.Errorf("an account of this server gets %s, %v", x, err)
	}
}
