package bridge_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// wide is a network whose clients have what those of faultnet have not.
type wide struct {
	transports.Network
	caps func(*transports.Caps) // changes what is declared
	// narrow replaces what the client narrows by itself.
	narrow func(transports.RoomID, transports.Caps) transports.Caps

	mu      sync.Mutex
	changes []transports.Change
	history int
	opened  int  // files
	pending bool // Send gives no id
	silent  bool // and its echo does not come
}

func (n *wide) Info() transports.Info {
	info := n.Network.Info()
	info.Caps.Create, info.Caps.Spaces, info.Caps.Narrow, info.Caps.Media = true, true, true, true
	info.Caps.Resolve, info.Caps.Search, info.Caps.Commands = true, true, true
	info.Caps.Changes = append(info.Caps.Changes, transports.ChangeRole, transports.ChangeTimer)
	if n.caps != nil {
		n.caps(&info.Caps)
	}
	return info
}

func (n *wide) ClientType() transports.Client { return wideClient{} }

func (n *wide) Open(ctx context.Context, login transports.Login, sink transports.Sink) (transports.Client, error) {
	c, err := n.Network.Open(ctx, login, wideSink{sink, n})
	if err != nil {
		return nil, err
	}
	return wideClient{c.(full), n}, nil
}

// wideSink drops the echoes of our messages while the network is silent.
type wideSink struct {
	transports.Sink
	n *wide
}

func (s wideSink) Deliver(ctx context.Context, e transports.Event) error {
	s.n.mu.Lock()
	silent := s.n.silent
	s.n.mu.Unlock()
	if silent && e.Own {
		return nil
	}
	return s.Sink.Deliver(ctx, e)
}

type wideClient struct {
	full
	n *wide
}

func (c wideClient) Send(ctx context.Context, m transports.Outgoing) (transports.Sent, error) {
	sent, err := c.full.Send(ctx, m)
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.n.pending && err == nil {
		return transports.Sent{Pending: true}, nil
	}
	return sent, err
}

func (c wideClient) History(ctx context.Context, request transports.HistoryRequest) (transports.HistoryPage, error) {
	c.n.mu.Lock()
	c.n.history++
	c.n.mu.Unlock()
	request.Limit = min(request.Limit, 3) // the network's pages are short
	return c.full.History(ctx, request)
}

func (c wideClient) Apply(ctx context.Context, change transports.Change) (transports.Applied, error) {
	c.n.mu.Lock()
	c.n.changes = append(c.n.changes, change)
	c.n.mu.Unlock()
	switch change.Kind {
	case transports.ChangeRole:
		return transports.Applied{Reverted: true, Text: "Only owners may do that."}, nil
	case transports.ChangeTimer:
		return transports.Applied{}, nil
	}
	return c.full.Apply(ctx, change)
}

func (c wideClient) Members(ctx context.Context, request transports.MemberRequest) (transports.MemberPage, error) {
	page, err := c.full.Members(ctx, request)
	for i := range page.Members {
		if page.Members[i].User.ID == "cleo" {
			page.Members[i].Role = transports.RoleAdmin
		}
	}
	return page, err
}

func (c wideClient) Narrow(room transports.RoomID, caps transports.Caps) transports.Caps {
	if c.n.narrow != nil {
		return c.n.narrow(room, caps)
	}
	if room == "den" {
		caps.MaxReactions, caps.MaxEdits, caps.DeleteWindow, caps.MaxText = 1, 1, time.Hour, 20
		caps.Changes = nil
	}
	return caps
}

func (c wideClient) Spaces(context.Context) ([]transports.SpaceInfo, error) {
	return []transports.SpaceInfo{{ID: "e", Name: "Egypt"}}, nil
}

func (c wideClient) OpenFile(_ context.Context, ref string) (io.ReadCloser, transports.File, error) {
	c.n.mu.Lock()
	c.n.opened++
	c.n.mu.Unlock()
	if ref != "face" && ref != "text" {
		return nil, transports.File{}, transports.Refuse("item-not-found", "no such file", nil)
	}
	if ref == "text" {
		return io.NopCloser(strings.NewReader("<html>")), transports.File{MIME: "image/png", Size: 6}, nil
	}
	return io.NopCloser(strings.NewReader(facePNG)), transports.File{MIME: "image/png", Size: int64(len(facePNG))}, nil
}

func (c wideClient) Profile(ctx context.Context, id transports.UserID) (transports.UserInfo, error) {
	u, err := c.full.Profile(ctx, id)
	u.AvatarRef = "face"
	return u, err
}

func (c wideClient) Resolve(_ context.Context, identifier string) (transports.UserInfo, error) {
	if identifier == "+30 1" {
		return transports.UserInfo{ID: "cleo", Name: "Cleo"}, nil
	}
	return transports.UserInfo{}, transports.Refuse("item-not-found", "nobody", nil)
}

func (c wideClient) Search(_ context.Context, words string, _ int) ([]transports.UserInfo, error) {
	if words != "queen" {
		return nil, nil
	}
	return []transports.UserInfo{{ID: "cleo", Name: "Cleo"}, {ID: "Nefertiti", Name: "Nefertiti"}}, nil
}

func (c wideClient) GroupFields() []transports.Field {
	return []transports.Field{{Key: "name", Label: "Name", Pattern: "[a-z]+"}, {Key: "with", Label: "With", Type: transports.FieldUser}}
}

func (c wideClient) CreateGroup(_ context.Context, answers map[string]string) (transports.RoomInfo, error) {
	if answers["with"] != "cleo" {
		return transports.RoomInfo{}, errors.New("not cleo's id: " + answers["with"])
	}
	return transports.RoomInfo{ID: transports.RoomID("Group-" + answers["name"]), Kind: transports.Private, Name: answers["name"], Joined: true}, nil
}

func (c wideClient) Commands(context.Context) ([]transports.Command, error) {
	return []transports.Command{{Name: "vote", Title: "Vote", Fields: []transports.Field{{Key: "for", Label: "For", Choices: []string{"tea", "coffee"}}}}}, nil
}

func (c wideClient) RunCommand(_ context.Context, name string, answers map[string]string) (transports.CommandResult, error) {
	return transports.CommandResult{Text: name + " for " + answers["for"] + "."}, nil
}

// widen gives a test's gateway that network, and links Ann to it.
func widen(h *harness, caps func(*transports.Caps)) *wide {
	n := &wide{Network: h.net, caps: caps}
	h.net = n
	h.start()
	h.link(phone, "ann")
	h.discard()
	return n
}

// dialogue writes lines to the gateway and returns its answer to the last one.
func dialogue(h *harness, lines ...string) string {
	var answer []string
	for _, line := range lines {
		answer = nil
		h.send(stanza.NewMessage(domain, phone, stanza.TypeChat, stanza.TextElement("", "body", line)))
		for _, st := range h.received(phone) {
			answer = append(answer, st.Body())
		}
	}
	return strings.Join(answer, "\n")
}

func TestCommandsOfTheNetwork(t *testing.T) {
	withGateway(t, func(h *harness) {
		n := widen(h, nil)
		for _, tc := range []struct {
			lines []string
			want  string
		}{
			{[]string{"find", "+30 1"}, "cleo@echo.example.org"},
			{[]string{"find", "queen"}, "xmpp:%5C4eefertiti@echo.example.org?message"},
			{[]string{"find", "nobody"}, "nobody of that name"},
			{[]string{"create", "tigers", "cleo@echo.example.org"}, `\47roup-tigers@echo.example.org`},
			{[]string{"commands", "vote", "tea"}, "vote for tea."},
			{[]string{"help"}, "change a room"},
		} {
			if got := dialogue(h, tc.lines...); !strings.Contains(got, tc.want) {
				t.Errorf("%q: %q, want %q", tc.lines, got, tc.want)
			}
			dialogue(h, "cancel")
		}
		if got := dialogue(h, "create", "TIGERS"); strings.Contains(got, "made") {
			t.Errorf("a name that does not fit its pattern: %q", got)
		}
		dialogue(h, "cancel")
		if len(n.changes) > 0 {
			t.Errorf("%+v", n.changes)
		}
	})
}

func TestChangesByCommand(t *testing.T) {
	withGateway(t, func(h *harness) {
		n := widen(h, nil)
		change := func(room, kind, user, value string) string {
			f := stanza.NewElement("jabber:x:data", "x").With("type", "submit")
			for k, v := range map[string]string{"room": room, "change": kind, "user": user, "value": value} {
				f.Add(stanza.NewElement("jabber:x:data", "field").With("var", k).Add(stanza.TextElement("jabber:x:data", "value", v)))
			}
			const ns = "http://jabber.org/protocol/commands"
			first := h.ask(phone, domain, stanza.TypeSet, stanza.NewElement(ns, "command").With("node", "change").With("action", "execute"))
			id := first.Child(ns, "command").Attr("sessionid")
			return h.ask(phone, domain, stanza.TypeSet, stanza.NewElement(ns, "command").With("node", "change").With("sessionid", id).Add(f)).String()
		}
		for _, tc := range []struct{ room, kind, user, value, want string }{
			{"plaza@echo.example.org", "name", "", "Forum", "It is changed"},
			{"plaza@echo.example.org", "role", "cleo@echo.example.org", "admin", "has put back what was. Only owners may do that."},
			{"plaza@echo.example.org", "role", "", "admin", "Whom is this about"},
			{"plaza@echo.example.org", "timer", "", "soon", "no length of time"},
			{"plaza@echo.example.org", "timer", "", "24h", "It is changed"},
			{"plaza", "leave", "", "", "It is changed"},
			{"den@echo.example.org", "name", "", "Lair", "cannot be changed here"},
		} {
			if got := change(tc.room, tc.kind, tc.user, tc.value); !strings.Contains(got, tc.want) {
				t.Errorf("%+v: %s", tc, got)
			}
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		want := "[{name plaza  Forum} {role plaza cleo } {timer plaza  } {leave plaza  }]"
		var got []string
		for _, c := range n.changes {
			got = append(got, fmt.Sprintf("{%s %s %s %s}", c.Kind, c.Room, c.User, c.Text))
		}
		if fmt.Sprint(got) != want || n.changes[1].Role != transports.RoleAdmin || n.changes[2].Timer != 24*time.Hour {
			t.Errorf("%+v", n.changes)
		}
	})
}

// What a room does not allow is refused before the network is called.
func TestLimitsOfARoom(t *testing.T) {
	withGateway(t, func(h *harness) {
		widen(h, nil)
		h.join(phone, "den")
		first := h.sendToRoom(phone, "den", "hello")
		time.Sleep(time.Second)
		id := h.received(phone)[0].Child("urn:xmpp:sid:0", "stanza-id").Attr("id")
		reactions := func(emoji ...string) *stanza.Element {
			x := stanza.NewElement("urn:xmpp:reactions:0", "reactions").With("id", id)
			for _, e := range emoji {
				x.Add(stanza.TextElement("urn:xmpp:reactions:0", "reaction", e))
			}
			return x
		}
		refused := func(what string, payload ...*stanza.Element) bool {
			t.Helper()
			h.send(stanza.NewMessage(room("den"), phone, stanza.TypeGroupchat, payload...))
			time.Sleep(time.Second)
			got := h.messages(phone)
			return len(got) == 1 && strings.HasPrefix(got[0], "den error")
		}
		if !refused("two reactions", reactions("👍", "👎")) || refused("one reaction", reactions("👍")) {
			t.Error("the number of reactions is not limited as it should be")
		}
		correction := func(text string) []*stanza.Element {
			return []*stanza.Element{stanza.TextElement("", "body", text), stanza.NewElement("urn:xmpp:message-correct:0", "replace").With("id", first.ID)}
		}
		if refused("one correction", correction("hallo")...) || !refused("two corrections", correction("hullo")...) {
			t.Error("the number of corrections is not limited as it should be")
		}
		time.Sleep(2 * time.Hour)
		if !refused("a late retraction", stanza.NewElement("urn:xmpp:message-retract:1", "retract").With("id", id)) {
			t.Error("a late retraction was sent")
		}
		h.expectNetwork("den", "ann: hallo")
	})
}

// A message of several parts is shown part by part; an edit changes one of them, a deletion all.
func TestPartsOfAMessage(t *testing.T) {
	withGateway(t, func(h *harness) {
		widen(h, nil)
		h.join(phone, "den")
		emit := func(key string, body transports.Body) {
			h.check(h.world.Do(func(as faultnet.As) error {
				return as.Emit("den", transports.Event{Key: key, Actor: "cleo", Body: body})
			}))
			time.Sleep(time.Second)
		}
		text := richtext.FromPlain
		emit("k1", transports.Message{ID: "album", Text: text("pictures")})
		emit("k2", transports.Message{ID: "album", Part: "1", Text: text("cat")})
		emit("k3", transports.Message{ID: "album", Part: "2", Text: text("dog")})
		emit("k4", transports.Edit{ID: "album", Part: "1", Text: text("tiger")})
		h.expect(phone, "den/Cleo: pictures", "den/Cleo: cat", "den/Cleo: dog", "den/Cleo corrected: tiger")
		emit("k5", transports.Delete{IDs: []transports.MessageID{"album"}, Part: "2"})
		h.expect(phone, "den/Cleo retracted")
		emit("k6", transports.Delete{IDs: []transports.MessageID{"album"}})
		h.expect(phone, "den/Cleo retracted", "den/Cleo retracted")
	})
}

// What is old is kept in the archive, and nobody is notified. Several people's reactions come in one event.
func TestOldEventsAndSetsOfReactions(t *testing.T) {
	withGateway(t, func(h *harness) {
		widen(h, nil)
		h.join(phone, "den")
		emit := func(e transports.Event) {
			h.check(h.world.Do(func(as faultnet.As) error { return as.Emit("den", e) }))
			time.Sleep(time.Second)
		}
		emit(transports.Event{Key: "old", Past: true, Actor: "cleo", Body: transports.Message{ID: "m-old", Text: richtext.FromPlain("long ago")}})
		h.expect(phone)
		emit(transports.Event{Key: "new", Actor: "cleo", Body: transports.Message{ID: "m-new", Text: richtext.FromPlain("now")}})
		h.expect(phone, "den/Cleo: now")
		emit(transports.Event{Key: "r1", Body: transports.Reactions{ID: "m-new", Sets: []transports.ReactionSet{{User: "cleo", Emoji: []string{"👍"}}, {User: "ben", Emoji: []string{"🎉", "👍"}}}}})
		h.expect(phone, "den/Cleo reacted 👍", "den/Ben reacted 🎉👍")
		emit(transports.Event{Key: "r2", Body: transports.Reactions{ID: "m-new", Sets: []transports.ReactionSet{{User: "ben"}}}})
		h.expect(phone, "den/Ben reacted ")
		emit(transports.Event{Key: "moved", Body: transports.RoomGone{MovedTo: "lair"}})
		if got := fmt.Sprint(h.received(phone)); !strings.Contains(got, "lair@echo.example.org") {
			t.Errorf("nothing says where the room is: %s", got)
		}
	})
}

// A moderator removes the reactions of everybody, all or those with one emoji. Also in the same batch as the reactions.
func TestReactionsCleared(t *testing.T) {
	withGateway(t, func(h *harness) {
		widen(h, nil)
		h.join(phone, "den")
		emit := func(events ...transports.Event) {
			h.check(h.world.Do(func(as faultnet.As) error {
				for _, e := range events {
					if err := as.Emit("den", e); err != nil {
						return err
					}
				}
				return nil
			}))
			time.Sleep(time.Second)
		}
		reacted := func(key string) transports.Event {
			return transports.Event{Key: key, Body: transports.Reactions{ID: "m", Sets: []transports.ReactionSet{{User: "cleo", Emoji: []string{"👍"}}, {User: "ben", Emoji: []string{"🎉", "👍"}}}}}
		}
		emit(transports.Event{Key: "m", Actor: "cleo", Body: transports.Message{ID: "m", Text: richtext.FromPlain("now")}}, reacted("r1"))
		h.discard()
		emit(transports.Event{Key: "c1", Body: transports.Reactions{ID: "m", Cleared: []string{"👍"}}})
		h.expect(phone, "den/Ben reacted 🎉", "den/Cleo reacted ")
		emit(transports.Event{Key: "c2", Body: transports.Reactions{ID: "m", ClearedAll: true}})
		h.expect(phone, "den/Ben reacted ")
		emit(transports.Event{Key: "c3", Body: transports.Reactions{ID: "m", ClearedAll: true}})
		h.expect(phone)
		emit(reacted("r2"), transports.Event{Key: "c4", Body: transports.Reactions{ID: "m", ClearedAll: true}})
		got := h.messages(phone)
		slices.Sort(got)
		if !slices.Equal(got, []string{"den/Ben reacted ", "den/Ben reacted 🎉👍", "den/Cleo reacted ", "den/Cleo reacted 👍"}) {
			t.Errorf("%q", got)
		}
	})
}

// Roles of the network are those of the room.
func TestRolesOfMembers(t *testing.T) {
	withGateway(t, func(h *harness) {
		widen(h, nil)
		item := func(nick string, list []*stanza.Stanza) string {
			for i := len(list) - 1; i >= 0; i-- {
				if st := list[i]; st.Kind == stanza.Presence && st.From.Resource() == nick {
					x := st.Child("http://jabber.org/protocol/muc#user", "x").Child("http://jabber.org/protocol/muc#user", "item")
					return x.Attr("affiliation") + " " + x.Attr("role")
				}
			}
			return ""
		}
		if got := item("Cleo", h.join(phone, "den")); got != "admin moderator" {
			t.Errorf("Cleo is %q", got)
		}
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Emit("den", transports.Event{Key: "down", Body: transports.Member{User: transports.UserInfo{ID: "cleo", Name: "Cleo"}, Membership: transports.Joined, Role: transports.RoleReader}})
		}))
		time.Sleep(time.Second)
		if got := item("Cleo", h.received(phone)); got != "member visitor" {
			t.Errorf("Cleo is %q", got)
		}
	})
}

// A network that knows only times says how far somebody has read.
func TestReadUpToATime(t *testing.T) {
	withGateway(t, func(h *harness) {
		widen(h, nil)
		h.sendTo(phone, "cleo", "hello")
		time.Sleep(time.Second)
		h.discard()
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Emit(faultnet.DirectRoom("ann", "cleo"), transports.Event{Key: "read", Actor: "cleo", Body: transports.Read{Until: time.Now()}})
		}))
		time.Sleep(time.Second)
		h.expect(phone, "cleo displayed")
	})
}

// A message without an id waits for its echo; where none comes, it is not sent again and the sender is told.
func TestPendingMessages(t *testing.T) {
	withGateway(t, func(h *harness) {
		n := widen(h, func(c *transports.Caps) { c.Repeatable = false })
		set := func(pending, silent bool) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.pending, n.silent = pending, silent
		}
		h.join(phone, "den")
		set(true, false)
		h.sendToRoom(phone, "den", "one")
		time.Sleep(time.Second)
		set(true, true)
		h.sendToRoom(phone, "den", "two")
		time.Sleep(10 * time.Second)
		h.expect(phone, "den/Ann: one", "den/Ann: two")
		time.Sleep(5 * time.Minute)
		h.expect(phone, "den error remote-server-timeout")
		h.expectNetwork("den", "ann: one", "ann: two") // once each
		set(false, false)
		h.sendToRoom(phone, "den", "three")
		time.Sleep(time.Second)
		h.expectNetwork("den", "ann: one", "ann: two", "ann: three")
	})
}

// The history of a new room is read in pages, backwards; a network that catches up by itself is asked for no more.
func TestHistoryInPages(t *testing.T) {
	withGateway(t, func(h *harness) {
		for i := range 8 {
			h.world.Say("den", "cleo", fmt.Sprint("line ", i))
		}
		n := widen(h, func(c *transports.Caps) { c.CatchesUp = true })
		h.join(phone, "den")
		time.Sleep(time.Minute)
		n.mu.Lock()
		asked := n.history
		n.mu.Unlock()
		a := h.ask(phone, room("den"), stanza.TypeSet, stanza.NewElement("urn:xmpp:mam:2", "query"))
		archive := fmt.Sprint(h.received(phone))
		for i := range 8 {
			if !strings.Contains(archive, fmt.Sprint("line ", i)) {
				t.Errorf("line %d is missing (%s)", i, a)
			}
		}
		h.restart()
		time.Sleep(time.Minute)
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.history != asked {
			t.Errorf("%d calls of the history after a restart", n.history-asked)
		}
	})
}

// A picture without a public address goes into the vCard.
func TestPictureByReference(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddUser(transports.UserInfo{ID: "cleo", Name: "Cleo", AvatarRef: "face"})
		widen(h, nil)
		card := h.ask(phone, contact("cleo"), stanza.TypeGet, stanza.NewElement("vcard-temp", "vCard"))
		if s := card.String(); !strings.Contains(s, "<BINVAL>"+base64.StdEncoding.EncodeToString([]byte(facePNG))+"</BINVAL>") || !strings.Contains(s, "image/png") {
			t.Error(s)
		}
	})
}

// patient is a login that waits, can go back, and ends with something that nobody can show.
type patient struct {
	transports.Network
	steps chan transports.Step
}

func (n patient) StartLogin(context.Context, transports.LoginRequest) (transports.LoginProcess, error) {
	return &patientLogin{n: n}, nil
}

type patientLogin struct {
	n patient
}

func (l *patientLogin) Next(ctx context.Context, answers map[string]string) (transports.Step, error) {
	if answers == nil {
		return transports.Step{Form: []transports.Field{{Key: "phone", Label: "Phone", Pattern: `\+[0-9]+`}}}, nil
	}
	if answers["phone"] != "" {
		return transports.Step{Form: []transports.Field{{Key: "code", Label: "Code"}}, Back: true}, nil
	}
	if answers["code"] != "" {
		return transports.Step{QR: "2@abc"}, nil
	}
	select {
	case step := <-l.n.steps:
		return step, nil
	case <-ctx.Done():
		return transports.Step{}, ctx.Err()
	}
}

func (l *patientLogin) Back(ctx context.Context) (transports.Step, error) { return l.Next(ctx, nil) }

func (l *patientLogin) Cancel() {}

func TestStepsOfALogin(t *testing.T) {
	withGateway(t, func(h *harness) {
		n := patient{h.net, make(chan transports.Step, 1)}
		h.net = n
		h.start()
		if got := dialogue(h, "link"); !strings.Contains(got, "Phone") {
			t.Fatalf("%q", got)
		}
		if got := dialogue(h, "12"); !strings.Contains(got, "Phone") {
			t.Errorf("an answer that does not fit its pattern: %q", got)
		}
		if got := dialogue(h, "+12"); !strings.Contains(got, "Code") {
			t.Errorf("%q", got)
		}
		if got := dialogue(h, "-", "yes"); !strings.Contains(got, "Phone") {
			t.Errorf("nothing goes back: %q", got)
		}
		if got := dialogue(h, "+12", "99", "no"); !strings.Contains(got, "2@abc") {
			t.Errorf("%q", got)
		}
		h.send(stanza.NewMessage(domain, phone, stanza.TypeChat, stanza.TextElement("", "body", "ok")))
		time.Sleep(3 * time.Minute) // longer than one call may take
		synctest.Wait()
		if got := fmt.Sprint(h.messages(phone)); !strings.Contains(got, "2@abc") {
			t.Errorf("the step that waits does not come again: %q", got)
		}
		n.steps <- transports.Step{Unsupported: "a passkey"}
		if got := dialogue(h, "ok"); !strings.Contains(got, "a passkey") {
			t.Errorf("%q", got)
		}
	})
}
