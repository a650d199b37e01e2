package slack

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

func TestNetworkKeepsItsContract(t *testing.T) {
	t.Parallel()
	if err := transports.CheckNetwork(New(Options{})); err != nil {
		t.Error(err)
	}
}

func TestLogin(t *testing.T) {
	w := newWorld(t)
	login := w.link(w.userTok)
	if login.User != userID(w.acme.ID, w.ann.ID) || login.Name != "ann at Acme" {
		t.Errorf("%q %q", login.User, login.Name)
	}
	if bot := w.link(""); bot.User != userID(w.acme.ID, w.install.Bot.ID) {
		t.Errorf("%q", bot.User)
	}
	for name, answers := range map[string]map[string]string{
		"no tokens": {}, "swapped": {"app": w.install.Token, "bot": w.app.Token}, "wrong bot": {"app": w.app.Token, "bot": "xoxb-no"},
		"wrong app": {"app": "xapp-no", "bot": w.install.Token}, "wrong user": {"app": w.app.Token, "bot": w.install.Token, "user": "xoxp-no"},
	} {
		login, _ := w.net.StartLogin(t.Context(), transports.LoginRequest{Flow: "tokens"})
		_, err := login.Next(t.Context(), answers)
		var e *transports.Error
		if !errors.As(err, &e) || e.Class != transports.Refused || e.Text == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := w.app.Link(w.ben)
	relink, _ := w.net.StartLogin(t.Context(), transports.LoginRequest{Flow: "tokens", Previous: &login})
	if _, err := relink.Next(t.Context(), map[string]string{"app": w.app.Token, "bot": w.install.Token, "user": other}); transports.ClassOf(err) != transports.Refused {
		t.Errorf("another person's token relinked the account: %v", err)
	}
	step, err := relink.Next(t.Context(), map[string]string{"app": w.app.Token, "bot": w.install.Token, "user": w.userTok})
	if err != nil || step.Done.ID != login.ID {
		t.Errorf("%+v %v", step, err)
	}
}

func TestPeopleAndRooms(t *testing.T) {
	w := newWorld(t)
	secret := w.acme.AddChannel(fake.Room{Name: "secret", Private: true, Members: []*fake.User{w.ben}})
	other := w.acme.AddChannel(fake.Room{Name: "other", Members: []*fake.User{w.ben}})
	direct := w.ann.DM(w.ben)
	w.server.ShortPages(1)
	s, _ := w.open(w.link(w.userTok))
	var people []string
	if err := s.Contacts(t.Context(), func(page []transports.UserInfo) error {
		for _, u := range page {
			people = append(people, u.Name+"/"+u.Handle+"/"+u.Group)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(people, []string{"Ben Best/ben/Acme"}) {
		t.Errorf("%q", people)
	}
	rooms := map[string]transports.RoomInfo{}
	if err := s.Rooms(t.Context(), func(page []transports.RoomInfo) error {
		for _, r := range page {
			if _, twice := rooms[string(r.ID)]; twice {
				t.Errorf("%s twice", r.ID)
			}
			rooms[string(r.ID)] = r
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	g := rooms[string(w.room())]
	if g.Name != "general" || g.Topic != "All things" || g.Kind != transports.Public || !g.Joined {
		t.Errorf("%+v", g)
	}
	if r := rooms[string(roomID(w.acme.ID, other.ID))]; r.Joined || r.Kind != transports.Public {
		t.Errorf("%+v", r)
	}
	if r := rooms[string(roomID(w.acme.ID, direct.ID))]; r.Kind != transports.Direct || r.Peer != userID(w.acme.ID, w.ben.ID) {
		t.Errorf("%+v", r)
	}
	if _, seen := rooms[string(roomID(w.acme.ID, secret.ID))]; seen {
		t.Error("a private channel of others is shown")
	}
	var members []transports.MemberInfo
	for request := (transports.MemberRequest{Room: w.room(), Limit: 10}); ; {
		page, err := s.Members(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, page.Members...)
		if request.After = page.Next; page.Next == "" {
			break
		}
	}
	if len(members) != 3 {
		t.Errorf("%v", members)
	}
	if _, err := s.Apply(t.Context(), transports.Change{Kind: transports.ChangeJoin, Room: roomID(w.acme.ID, other.ID)}); err != nil || !other.Has(w.ann) {
		t.Errorf("join: %v", err)
	}
	if _, err := s.Room(t.Context(), "t0-c0"); transports.ClassOf(err) != transports.Refused {
		t.Errorf("another team's room: %v", err)
	}
}

func TestMessagesBothWays(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link(w.userTok))
	m := w.ben.Say(w.general, "hello *world*, see https://x.example :tada:")
	e := k.Event(t, "message hello")
	if e.Room != w.room() || e.Actor != userID(w.acme.ID, w.ben.ID) || e.Own || e.Key != m.TS || e.Kind != transports.Public {
		t.Errorf("%+v", e)
	}
	if got := recorder.Line(e); !strings.Contains(got, "*world*") || !strings.Contains(got, "https://x.example") || !strings.Contains(got, "🎉") {
		t.Error(got)
	}
	w.ben.Edit(m, "hello again")
	if e := k.Event(t, "edit hello again"); e.Body.(transports.Edit).ID != transports.MessageID(m.TS) {
		t.Errorf("%+v", e)
	}
	w.server.Unfurl(m, "https://x.example", "X")
	w.ben.Delete(m)
	if e := k.Event(t, "delete"); e.Body.(transports.Delete).IDs[0] != transports.MessageID(m.TS) {
		t.Errorf("%+v", e)
	}

	out := outgoing("from *xmpp* <@U1> <!channel> & co", "c1")
	out.Room = w.room()
	sent, err := s.Send(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	posted := w.general.Message(string(sent.ID))
	if posted.User == nil || posted.User.ID != w.ann.ID || posted.Text != "from *xmpp* &lt;@U1&gt; &lt;!channel&gt; &amp; co" {
		t.Errorf("%+v", posted)
	}
	echo := k.Event(t, "message from")
	if !echo.Own || echo.Body.(transports.Message).ID != sent.ID {
		t.Errorf("echo %+v", echo)
	}
	if err := edit(s, transports.MessageRef{Room: w.room(), ID: sent.ID}, outgoing("changed", "c2")); err != nil || w.general.Message(string(sent.ID)).Text != "changed" {
		t.Errorf("edit: %v", err)
	}
	if err := s.Delete(t.Context(), transports.MessageRef{Room: w.room(), ID: sent.ID}); err != nil || shows(w.general, string(sent.ID)) {
		t.Errorf("delete: %v", err)
	}
	if err := s.Delete(t.Context(), transports.MessageRef{Room: w.room(), ID: sent.ID}); err != nil {
		t.Errorf("a second delete: %v", err)
	}
	keys := map[string]bool{}
	for _, e := range k.All("edit hello again") {
		keys[e.Key] = true
	}
	if len(keys) != 1 {
		t.Errorf("%v: a link's preview is no edit", keys)
	}
}

// shows reports whether a channel shows a message.
func shows(c *fake.Channel, ts string) bool {
	for _, m := range c.Transcript() {
		if m.TS == ts && !m.Deleted {
			return true
		}
	}
	return false
}

func TestBotSendsAsAnotherAuthor(t *testing.T) {
	w := newWorld(t)
	s, _ := w.open(w.link(""))
	out := outgoing("hi", "c1")
	out.Room, out.Author = w.room(), &transports.Author{Name: "Juliet"}
	if !s.CanRelay(t.Context(), w.room()) {
		t.Error("a bot can relay")
	}
	sent, err := s.Send(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if m := w.general.Message(string(sent.ID)); m.Name != "Juliet" {
		t.Errorf("%+v", m)
	}
}

func TestDirectMessages(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link(w.userTok))
	room, err := s.Direct(t.Context(), userID(w.acme.ID, w.ben.ID))
	if err != nil {
		t.Fatal(err)
	}
	w.ben.Say(w.ben.DM(w.ann), "psst")
	e := k.Event(t, "message psst")
	if e.Room != room || e.Kind != transports.Direct || e.Peer != userID(w.acme.ID, w.ben.ID) {
		t.Errorf("%+v", e)
	}
	// What others write to each other does not reach this login.
	third := w.acme.AddUser(fake.Person{Name: "cy"})
	w.app.Link(third)
	w.ben.Say(w.ben.DM(third), "not for ann")
	w.ben.Say(w.general, "marker")
	k.Event(t, "message marker")
	if len(k.All("message not for ann")) != 0 {
		t.Error("another's direct message was delivered")
	}
}

// The traps of Slack and of slack-go, one by one.

func TestRepeatedSendFindsTheFirst(t *testing.T) {
	w := newWorld(t)
	s, _ := w.open(w.link(w.userTok))
	out := outgoing("once", "c1")
	out.Room = w.room()
	w.server.Break("chat.postMessage", 1, fake.LostReply())
	if _, err := s.Send(t.Context(), out); transports.ClassOf(err) != transports.Retry {
		t.Fatalf("lost reply: %v", err)
	}
	out.Attempt = 2
	sent, err := s.Send(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	posts := 0
	for _, m := range w.general.Transcript() {
		if m.Text == "once" {
			posts++
			if m.TS != string(sent.ID) {
				t.Errorf("sent %s, posted %s", sent.ID, m.TS)
			}
		}
	}
	if posts != 1 {
		t.Errorf("posted %d times", posts)
	}
	out.ClientID = "c2"
	if again, err := s.Send(t.Context(), out); err != nil || again.ID == sent.ID {
		t.Errorf("another message with the same text was taken for the first: %v %v", again, err)
	}
}

func TestErrorsHaveClasses(t *testing.T) {
	w := newWorld(t)
	s, _ := w.open(w.link(w.userTok))
	out := outgoing("x", "c1")
	out.Room = w.room()
	w.server.Break("chat.postMessage", 1, fake.RateLimited(7*time.Second))
	_, err := s.Send(t.Context(), out)
	var e *transports.Error
	if !errors.As(err, &e) || e.Class != transports.Retry || e.After != 7*time.Second || !e.Unsent {
		t.Errorf("429: %+v", err)
	}
	for _, f := range []fake.Fault{fake.ServerError(503), fake.Garbage()} {
		w.server.Break("chat.postMessage", 1, f)
		if _, err := s.Send(t.Context(), out); transports.ClassOf(err) != transports.Retry {
			t.Errorf("%+v", err)
		}
	}
	w.server.Break("chat.postMessage", 1, fake.Refused("is_archived"))
	if _, err := s.Send(t.Context(), out); transports.ClassOf(err) != transports.Refused {
		t.Errorf("%+v", err)
	}
}

func TestRevokedTokenIsReportedOnce(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link(w.userTok))
	w.server.Revoke(w.userTok)
	k.Await(t, "needs login", func() bool { return k.Reached == transports.NeedsLogin })
	out := outgoing("x", "c1")
	out.Room = w.room()
	if _, err := s.Send(t.Context(), out); transports.ClassOf(err) != transports.NeedLogin {
		t.Errorf("%v", err)
	}
	if _, err := w.net.Open(t.Context(), w.linkedBefore(s), recorder.New()); transports.ClassOf(err) != transports.NeedLogin {
		t.Errorf("open: %v", err)
	}
}

func (w *world) linkedBefore(s *client) transports.Login { return s.login }

func TestUnknownAndBrokenEventsAreAcknowledged(t *testing.T) {
	w := newWorld(t)
	_, k := w.open(w.link(w.userTok))
	w.app.SendEvent(w.acme, map[string]any{"type": "no_such_event", "event_ts": "1.000001"})
	w.app.SendEvent(w.acme, map[string]any{"type": "subteam_updated", "subteam": map[string]any{"id": "S1", "user_count": "12"}, "event_ts": "1.000002"})
	m := w.ben.Say(w.general, "first")
	w.app.SendEvent(w.acme, map[string]any{
		"type": "message", "subtype": "message_changed", "channel": w.general.ID, "ts": "1.000003", "event_ts": "1.000003", "previous_message": []any{},
		"message": map[string]any{"type": "message", "user": w.ben.ID, "text": "second", "ts": m.TS, "edited": map[string]any{"user": w.ben.ID, "ts": m.TS}},
	})
	k.Event(t, "edit second")
	if !w.server.Await(deadline(t), func() bool { return w.app.Unacknowledged() == 0 }) {
		t.Errorf("%d envelopes are not acknowledged", w.app.Unacknowledged())
	}
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestWhatIsNotTakenComesAgain(t *testing.T) {
	w := newWorld(t)
	_, k := w.open(w.link(w.userTok))
	k.Note(func() { k.Refuse = 1 })
	w.ben.Say(w.general, "twice")
	k.Event(t, "message twice")
	if !w.server.Await(deadline(t), func() bool { return w.app.Unacknowledged() == 0 }) {
		t.Error("not acknowledged in the end")
	}
}

// An event whose channel Slack does not describe at the moment comes again; before a later one is handed
// on, the sink is informed of a gap, so that the bridge reads what was missed.
func TestEventOfAChannelThatIsNotDescribed(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link(w.userTok))
	k.Lock()
	resyncs := k.Resyncs // one, where the socket was there before the login
	k.Unlock()
	s.forget(w.channelID())
	w.server.Break("conversations.info", 1, fake.ServerError(503))
	missed := -1 // how many events there were when it was reported
	w.ben.Say(w.general, "one")
	k.Await(t, "a gap in the channel", func() bool {
		if missed < 0 && len(k.Missed) > 0 {
			missed = len(k.Events)
		}
		return slices.Contains(k.Missed, w.room())
	})
	w.ben.Say(w.general, "two")
	k.Event(t, "message two")
	k.Event(t, "message one")
	k.Lock()
	defer k.Unlock()
	if missed != 0 || k.Resyncs != resyncs {
		t.Errorf("told after %d events, and %d times of a gap everywhere", missed, k.Resyncs-resyncs)
	}
}

func TestRedeliveredEventsHaveTheSameKey(t *testing.T) {
	w := newWorld(t)
	_, k := w.open(w.link(w.userTok))
	w.app.DropAcks(1)
	w.ben.Say(w.general, "again")
	k.Await(t, "two deliveries", func() bool {
		n := 0
		for _, e := range k.Events {
			if recorder.Line(e) == "message again" {
				n++
			}
		}
		return n >= 2
	})
	keys := map[string]bool{}
	for _, e := range k.All("message again") {
		keys[e.Key] = true
	}
	if len(keys) != 1 {
		t.Errorf("%v", keys)
	}
}

func TestGapsAreReportedAndFilled(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link(w.userTok))
	first := w.ben.Say(w.general, "before")
	k.Event(t, "message before")
	gap := k.Gap(t)
	w.server.Outage()
	k.Await(t, "connecting", func() bool { return k.Reached == transports.Connecting })
	a := w.ben.Say(w.general, "one")
	w.ben.Edit(first, "before, edited")
	reply := w.ann.Reply(first, "in the thread")
	b := w.ben.Say(w.general, "two")
	w.server.EndRedeliveries()
	w.server.Restore()
	gap()
	w.server.ShortPages(1)
	page, err := s.History(t.Context(), transports.HistoryRequest{Room: w.room(), After: transports.MessageID(first.TS), Limit: 100})
	if err != nil || page.More {
		t.Fatal(err, page.More)
	}
	var keys []string
	for _, e := range page.Events {
		keys = append(keys, e.Key)
	}
	want := []string{first.TS, a.TS, reply.TS, b.TS} // the first one is known, but could have been overtaken
	var got []string
	for _, key := range keys {
		if !strings.Contains(key, "/edit/") {
			got = append(got, key)
		}
	}
	if !slices.Equal(got, want) || len(keys) != 5 {
		t.Errorf("%v, want %v and an edit", keys, want)
	}
	newest, err := s.History(t.Context(), transports.HistoryRequest{Room: w.room(), Limit: 2})
	if err != nil || len(newest.Events) < 2 || newest.Events[len(newest.Events)-1].Key != b.TS {
		t.Errorf("%s %v", recorder.Dump(newest.Events), err)
	}
}

func TestDisconnectFrames(t *testing.T) {
	w := newWorld(t)
	_, k := w.open(w.link(w.userTok))
	for i, reason := range []string{"warning", "refresh_requested"} {
		w.app.Disconnect(reason)
		if !w.server.Await(deadline(t), func() bool { return w.app.Sockets() > 0 }) {
			t.Fatal("no socket again")
		}
		k.Await(t, "online", func() bool { return k.Reached == transports.Online })
		text := []string{"x", "y"}[i]
		w.ben.Say(w.general, text)
		k.Event(t, "message "+text)
	}
}

// A socket is open before Slack sends events to it: a login that called itself online then
// would have its past read too early, and miss what is written in between.
func TestNotOnlineBeforeHello(t *testing.T) {
	w := newWorld(t)
	hello := w.app.HoldHello()
	k := recorder.New()
	s, err := w.net.Open(t.Context(), w.link(w.userTok), k)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	if !w.server.Await(deadline(t), func() bool { return w.app.SocketsBeforeHello() == 1 }) {
		t.Fatal("no socket")
	}
	time.Sleep(100 * time.Millisecond) // the other side notices as well that it is open
	k.Note(func() {
		if k.Reached != transports.Connecting {
			t.Errorf("%v before hello", k.Reached)
		}
	})
	hello()
	k.Await(t, "online", func() bool { return k.Reached == transports.Online })
}

// slowSink calls meanwhile when it is informed that the session is connecting.
type slowSink struct {
	*recorder.Sink
	meanwhile func()
}

func (k slowSink) State(state transports.State, cause error) {
	if state == transports.Connecting {
		k.meanwhile()
	}
	k.Sink.State(state, cause)
}

func TestLastStateReportedIsTrue(t *testing.T) {
	w := newWorld(t)
	login := w.link(w.userTok)
	hello := w.app.HoldHello() // so that the login begins as one that connects
	k := slowSink{recorder.New(), func() {
		hello()
		time.Sleep(300 * time.Millisecond) // for the app to notice and to report
	}}
	s, err := w.net.Open(t.Context(), login, k)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	k.Await(t, "online", func() bool { return k.Reached == transports.Online })
}

func TestTwoAccountsShareOneSocket(t *testing.T) {
	w := newWorld(t)
	_, kAnn := w.open(w.link(w.userTok))
	ben := w.link(w.app.Link(w.ben))
	ben.ID = "a2"
	_, kBen := w.open(ben)
	if n := w.app.Sockets(); n != 1 {
		t.Errorf("%d sockets", n)
	}
	w.ann.Say(w.general, "to all")
	kAnn.Event(t, "message to all")
	kBen.Event(t, "message to all")
	w.ann.Say(w.ann.DM(w.ben), "to ben")
	if e := kAnn.Event(t, "message to ben"); e.Peer != userID(w.acme.ID, w.ben.ID) {
		t.Errorf("%+v", e)
	}
	if e := kBen.Event(t, "message to ben"); e.Peer != userID(w.acme.ID, w.ann.ID) {
		t.Errorf("%+v", e)
	}
}

func TestPresenceIsAskedFor(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Presence = 20 * time.Millisecond })
	s, k := w.open(w.link(w.userTok))
	w.ben.SetPresence(true)
	if err := s.Watch(t.Context(), []transports.UserID{userID(w.acme.ID, w.ben.ID)}); err != nil {
		t.Fatal(err)
	}
	k.Await(t, "presence", func() bool {
		for _, e := range k.Events {
			if p, ok := e.Body.(transports.Presence); ok && p.Info.Show == transports.Available {
				return true
			}
		}
		return false
	})
}

func TestReactionsAndMembers(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link(w.userTok))
	m := w.ben.Say(w.general, "react")
	w.ben.React(m, "thumbsup")
	k.Event(t, "reactions +👍")
	if err := s.React(t.Context(), transports.MessageRef{Room: w.room(), ID: transports.MessageID(m.TS)}, transports.ReactionChange{Add: []string{"🎉"}}); err != nil {
		t.Error(err)
	}
	if got := w.general.Message(m.TS).Reactions["tada"]; len(got) != 1 {
		t.Errorf("%v", w.general.Message(m.TS).Reactions)
	}
	cy := w.acme.AddUser(fake.Person{Name: "cy", DisplayName: "Cy"})
	cy.Join(w.general)
	if e := k.Event(t, "member"); e.Body.(transports.Member).User.Name != "Cy" || !e.Body.(transports.Member).Joined {
		t.Errorf("%+v", e)
	}
	k.Event(t, "contact")
}

// A reply quotes what it answers, or is in its thread, and a correction keeps the quotation, with which it is not too long.
func TestRepliesToSlack(t *testing.T) {
	w := newWorld(t)
	s, _ := w.open(w.link(""))
	question := w.ben.Say(w.general, "shall we?").TS
	out := outgoing("yes", "c1")
	out.Room, out.Author = w.room(), &transports.Author{Name: "Juliet"}
	out.ReplyTo, out.Answered = transports.MessageID(question), &transports.Answered{Author: "Ben", Text: "shall we?"}
	sent, err := s.Send(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.general.Message(string(sent.ID)).Text; got != "&gt; *Ben*: shall we?\nyes" && got != "> *Ben*: shall we?\nyes" {
		t.Errorf("%q", got)
	}
	out.Text = richtext.FromPlain(strings.Repeat("word ", 800)) // 4,000 characters
	rest, err := s.Edit(t.Context(), transports.MessageRef{Room: w.room(), ID: sent.ID}, out)
	if err != nil {
		t.Fatal(err)
	}
	text := w.general.Message(string(sent.ID)).Text
	if !strings.Contains(text, "*Ben*: shall we?") || strings.Count(text, "word")+strings.Count(rest.String(), "word") != 800 {
		t.Errorf("%q, and %q is left", text, rest.String())
	}
	out.ClientID, out.Thread = "c2", transports.MessageID(question)
	threaded, err := s.Send(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if m := w.general.Message(string(threaded.ID)); m.ThreadTS != question || strings.Contains(m.Text, "Ben") {
		t.Errorf("%+v", m)
	}
}

// Who is more than a member of the workspace is shown as that.
func TestRanksOfMembers(t *testing.T) {
	w := newWorld(t)
	cy := w.acme.AddUser(fake.Person{Name: "cy", Admin: true})
	cy.Join(w.general)
	s, _ := w.open(w.link(w.userTok))
	page, err := s.Members(t.Context(), transports.MemberRequest{Room: w.room(), Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	admins := 0
	for _, m := range page.Members {
		if len(m.Badges) > 0 {
			admins++
			if m.User.Handle != "cy" || len(m.Badges) != 1 || m.Badges[0] != (transports.Badge{ID: "admin", Title: "Workspace admin"}) {
				t.Errorf("%+v", m)
			}
		}
	}
	if admins != 1 {
		t.Errorf("%d of %d", admins, len(page.Members))
	}
	s.person(rawUser{ID: "U1", IsOwner: true, IsAdmin: true})
	s.person(rawUser{ID: "U2", IsGuest: true})
	if s.ranks["U1"].ID != "owner" || s.ranks["U2"].ID != "guest" {
		t.Errorf("%v", s.ranks)
	}
	if s.person(rawUser{ID: "U1"}); s.ranks["U1"].ID != "" {
		t.Error("the rank stays")
	}
}
