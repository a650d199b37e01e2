package fake_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// listener runs slack-go's Socket Mode client and keeps what it hears.
type listener struct {
	*testing.T
	client   *socketmode.Client
	mute     bool // acknowledges nothing
	mu       sync.Mutex
	received []received
	states   []socketmode.EventType
	bad      int
	news     chan struct{}
	ended    chan error
}

type received struct {
	event slackevents.EventsAPIEvent
	req   socketmode.Request
}

func (w *testSlack) listen(options ...func(*listener)) *listener {
	l := &listener{T: w.T, news: make(chan struct{}, 1), ended: make(chan error, 1)}
	for _, f := range options {
		f(l)
	}
	l.client = socketmode.New(w.bot, socketmode.OptionLog(log.New(io.Discard, "", 0)), socketmode.OptionPingInterval(2*time.Second))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { l.ended <- l.client.RunContext(ctx) }()
	go func() {
		defer close(done)
		l.collect(ctx)
	}()
	w.Cleanup(func() {
		cancel()
		<-done
		select {
		case <-l.ended:
		case <-time.After(10 * time.Second):
			l.Error("the client does not end")
		}
	})
	return l
}

func (l *listener) collect(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-l.client.Events:
			l.mu.Lock()
			l.states = append(l.states, e.Type)
			switch e.Type {
			case socketmode.EventTypeEventsAPI:
				l.received = append(l.received, received{e.Data.(slackevents.EventsAPIEvent), *e.Request})
				if !l.mute {
					_ = l.client.Ack(*e.Request)
				}
			case socketmode.EventTypeErrorBadMessage:
				l.bad++
			}
			l.mu.Unlock()
			select {
			case l.news <- struct{}{}:
			default:
			}
		}
	}
}

// until waits for ok, asked again whenever something was heard.
func (l *listener) until(what string, ok func() bool) {
	l.Helper()
	end := time.After(20 * time.Second)
	for {
		l.mu.Lock()
		yes := ok()
		l.mu.Unlock()
		if yes {
			return
		}
		select {
		case <-l.news:
		case <-end:
			l.mu.Lock()
			defer l.mu.Unlock()
			l.Fatalf("%s: not within the time; heard %d events, states %v, %d bad", what, len(l.received), l.states, l.bad)
		}
	}
}

func (l *listener) connected(n int) {
	l.Helper()
	l.until("connection", func() bool {
		hellos := 0
		for _, s := range l.states {
			if s == socketmode.EventTypeHello {
				hellos++
			}
		}
		return hellos >= n
	})
}

// unread is how many frames slack-go could not read.
func (l *listener) unread() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bad
}

// all is what was heard so far.
func (l *listener) all() []received {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.received)
}

// texts are the texts of the messages heard, in order. Within until, mu is held already.
func (l *listener) texts() []string { return textsOf(l.received) }

func textsOf(list []received) (out []string) {
	for _, h := range list {
		if m, ok := h.event.InnerEvent.Data.(*slackevents.MessageEvent); ok {
			out = append(out, m.Text)
		}
	}
	return out
}

func (l *listener) types() []string { return typesOf(l.received) }

func typesOf(list []received) (out []string) {
	for _, h := range list {
		out = append(out, h.event.InnerEvent.Type)
	}
	return out
}

func TestEventsOverSocketMode(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	l := w.listen()
	l.connected(1)
	m := w.ann.Say(w.general, "hello *there*")
	l.until("a message", func() bool { return len(l.received) > 0 })
	e := l.all()[0].event.InnerEvent.Data.(*slackevents.MessageEvent)
	if e.User != w.ann.ID || e.Channel != w.general.ID || e.TimeStamp != m.TS || e.ChannelType != "channel" || e.ClientMsgID == "" || e.BotID != "" {
		t.Errorf("event: %+v", e)
	}
	cb := l.all()[0].event.Data.(*slackevents.EventsAPICallbackEvent)
	if len(cb.Authorizations) != 1 || !cb.Authorizations[0].IsBot || cb.Authorizations[0].UserID != w.in.Bot.ID {
		t.Errorf("authorizations: %+v", cb.Authorizations)
	}
	if !w.slack.Await(deadline(t), func() bool { return w.app.Unacknowledged() == 0 }) {
		t.Error("not acknowledged")
	}
	// The own post comes back, with the ids of the app.
	_, ts, err := w.bot.PostMessageContext(deadline(t), w.general.ID, slack.MsgOptionText("echo", false))
	w.ok(err)
	l.until("the echo", func() bool { return slices.Contains(l.texts(), "echo") })
	e = l.all()[len(l.all())-1].event.InnerEvent.Data.(*slackevents.MessageEvent)
	if e.TimeStamp != ts || e.BotID != w.in.BotID || !strings.Contains(string(l.all()[len(l.all())-1].req.Payload), `"app_id":"`+w.app.ID) || e.User != w.in.Bot.ID {
		t.Errorf("echo: %+v", e)
	}
}

func TestWhoReceivesWhat(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	l := w.listen()
	l.connected(1)
	w.ann.Say(w.cellar, "ann's own room") // by ann's token
	w.bob.Say(w.bob.DM(w.carl), "not for the app")
	w.ann.Say(w.ann.DM(w.bob), "by ann's token too")
	w.bob.Say(w.bob.DM(w.in.Bot), "to the bot")
	w.bob.Say(w.general, "end")
	l.until("the last", func() bool { return slices.Contains(l.texts(), "end") })
	if got, want := textsOf(l.all()), []string{"ann's own room", "by ann's token too", "to the bot", "end"}; !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
	for i, h := range l.all() {
		e, ok := h.event.InnerEvent.Data.(*slackevents.MessageEvent)
		if !ok {
			continue
		}
		auth := h.event.Data.(*slackevents.EventsAPICallbackEvent).Authorizations[0]
		if bot := e.Text == "to the bot" || e.Text == "end"; auth.IsBot != bot {
			t.Errorf("event %d (%s) is for %+v", i, e.Text, auth)
		}
	}
	w.slack.Revoke(w.annToken)
	w.ann.Say(w.cellar, "nobody listens")
	w.slack.SetScopes(w.in.Token, "chat:write")
	w.ann.Say(w.general, "nor here")
	w.slack.SetScopes(w.in.Token, "channels:history")
	w.ann.Say(w.general, "here again")
	l.until("the last", func() bool { return slices.Contains(l.texts(), "here again") })
	if slices.Contains(textsOf(l.all()), "nobody listens") || slices.Contains(textsOf(l.all()), "nor here") {
		t.Errorf("heard %q", textsOf(l.all()))
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	other := w.slack.AddApp(fake.AppSpec{Name: "Other", BotEvents: []string{"app_mention", "reaction_added"}, UserEvents: []string{},
		BotScopes: append(fake.DefaultBotScopes(), "app_mentions:read")})
	in := other.Install(w.acme)
	w.ann.Invite(w.general, in.Bot)
	w.app, w.bot = other, slack.New(in.Token, slack.OptionAPIURL(w.slack.APIURL()), slack.OptionAppLevelToken(other.Token), slack.OptionHTTPClient(newHTTP(t)))
	l := w.listen()
	l.connected(1)
	m := w.ann.Say(w.general, "hello @other")
	w.bob.React(m, "+1")
	l.until("both", func() bool { return len(l.received) == 2 })
	if got, want := typesOf(l.all()), []string{"app_mention", "reaction_added"}; !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
}

func TestEventsOfAllKinds(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	l := w.listen()
	l.connected(1)
	g := w.general
	m := w.ann.Say(g, "one")
	w.ann.Edit(m, "two")
	w.bob.React(m, "tada")
	w.bob.Reply(m, "reply")
	w.bob.Broadcast(m, "shown")
	w.slack.Unfurl(m, "https://example.org", "Example")
	w.ann.Delete(m)
	gone := w.bob.Say(g, "gone")
	w.bob.Delete(gone)
	w.bob.Me(g, "waves")
	w.ann.Share(g, "a file", fake.Message{}, fake.FileSpec{Name: "a.png", Data: picture(t)})
	w.carl.Join(g)
	tea := w.acme.AddChannel(fake.Room{Name: "tea", Members: []*fake.User{w.bob}})
	w.bob.Invite(tea, w.in.Bot)
	w.bob.Invite(g, w.carl)
	w.ann.StartHuddle(g)
	w.ann.EndHuddle(g)
	w.acme.AddUser(fake.Person{Name: "dora"})
	w.carl.Deactivate()
	w.bob.Say(g, "end")
	l.until("the end", func() bool { return slices.Contains(l.texts(), "end") })
	if n := l.unread(); n != 0 {
		t.Errorf("slack-go cannot read %d of the events", n)
	}
	types := typesOf(l.all())
	for _, want := range []string{"message", "reaction_added", "file_shared", "member_joined_channel", "channel_created",
		"user_huddle_changed", "user_change", "team_join"} {
		if !slices.Contains(types, want) {
			t.Errorf("no %s", want)
		}
	}
	var subtypes []string
	for _, h := range l.all() {
		if m, ok := h.event.InnerEvent.Data.(*slackevents.MessageEvent); ok && m.SubType != "" && !slices.Contains(subtypes, m.SubType) {
			subtypes = append(subtypes, m.SubType)
		}
	}
	for _, want := range []string{"message_changed", "message_deleted", "thread_broadcast", "me_message", "file_share", "channel_join", "huddle_thread"} {
		if !slices.Contains(subtypes, want) {
			t.Errorf("no message of subtype %s", want)
		}
	}
	tombstones := 0
	for _, h := range l.all() {
		if m, ok := h.event.InnerEvent.Data.(*slackevents.MessageEvent); ok && m.SubType == "message_changed" && m.Message.SubType == "tombstone" {
			tombstones++
		}
	}
	if tombstones != 1 {
		t.Errorf("%d tombstones, want one", tombstones)
	}
}

func TestRepeatedDelivery(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t, func(o *fake.Options) {
		o.AckTimeout = 20 * time.Millisecond
		o.RetryAfter = []time.Duration{0, 30 * time.Millisecond, 30 * time.Millisecond}
	})
	l := w.listen(func(l *listener) { l.mute = true })
	l.connected(1)
	w.ann.Say(w.general, "again and again")
	l.until("all attempts", func() bool { return len(l.received) == 4 })
	var attempts []int
	envelopes, events := map[string]bool{}, map[string]bool{}
	for _, h := range l.all() {
		attempts = append(attempts, h.req.RetryAttempt)
		envelopes[h.req.EnvelopeID] = true
		events[h.event.Data.(*slackevents.EventsAPICallbackEvent).EventID] = true
		if want := map[bool]string{true: "timeout"}[h.req.RetryAttempt > 0]; h.req.RetryReason != want {
			t.Errorf("attempt %d for reason %q", h.req.RetryAttempt, h.req.RetryReason)
		}
	}
	if !slices.Equal(attempts, []int{0, 1, 2, 3}) || len(envelopes) != 4 || len(events) != 1 {
		t.Errorf("attempts %v, %d envelopes, %d events", attempts, len(envelopes), len(events))
	}
	if !w.slack.Await(deadline(t), func() bool { return w.app.Unacknowledged() == 0 }) {
		t.Error("the fourth attempt is not the last")
	}
	if n := w.app.Redeliver(1); n != 1 {
		t.Errorf("redelivered %d", n)
	}
	l.until("one more", func() bool { return len(l.received) >= 5 })
}

func TestLostAcknowledgements(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t, func(o *fake.Options) { o.AckTimeout = 20 * time.Millisecond })
	l := w.listen()
	l.connected(1)
	w.app.DropAcks(1)
	w.ann.Say(w.general, "twice")
	l.until("the retry", func() bool { return len(l.received) == 2 })
	if l.all()[1].req.RetryAttempt != 1 {
		t.Errorf("attempt %d", l.all()[1].req.RetryAttempt)
	}
}

func TestEnvelopesAlternateBetweenSockets(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	one, two := w.listen(), w.listen()
	one.connected(1)
	two.connected(1)
	for range 4 {
		w.ann.Say(w.general, "x")
	}
	one.until("half", func() bool { return len(one.received) == 2 })
	two.until("half", func() bool { return len(two.received) == 2 })
	for w.app.Sockets() < 10 {
		open := w.app.Sockets()
		c, _ := w.dial()
		if _, _, err := c.ReadMessage(); err != nil {
			t.Fatal(err)
		}
		if w.app.Sockets() != open+1 {
			t.Fatalf("%d sockets after the %dth", w.app.Sockets(), open+1)
		}
	}
	c, link := w.dial()
	_, b, err := c.ReadMessage()
	if err != nil || !strings.Contains(string(b), "too_many_websockets") {
		t.Errorf("the eleventh hears %s, %v", b, err)
	}
	if c, r, err := websocket.DefaultDialer.DialContext(deadline(t), link, nil); err == nil {
		_ = c.Close()
		t.Error("a link is good twice")
	} else if r != nil {
		_ = r.Body.Close()
	}
}

// dial opens a socket by hand.
func (w *testSlack) dial() (*websocket.Conn, string) {
	w.Helper()
	_, link, err := w.bot.StartSocketModeContext(deadline(w))
	w.ok(err)
	c, r, err := websocket.DefaultDialer.DialContext(deadline(w), link, nil)
	w.ok(err)
	_ = r.Body.Close()
	w.Cleanup(func() { _ = c.Close() })
	w.ok(c.SetReadDeadline(time.Now().Add(20 * time.Second))) // a test that waits for nothing has failed
	return c, link
}

func TestDisconnectFrames(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"warning", "refresh_requested", "link_disabled"} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := newTestSlack(t)
			l := w.listen()
			l.connected(1)
			w.app.Disconnect(reason)
			l.connected(2)
			w.ann.Say(w.general, "back")
			l.until("a message", func() bool { return slices.Contains(l.texts(), "back") })
		})
	}
	w := newTestSlack(t)
	c, _ := w.dial()
	var kinds []string
	for {
		if len(kinds) == 1 { // it has said hello: the socket is there
			w.app.Disconnect("link_disabled")
		}
		_, b, err := c.ReadMessage()
		if err != nil {
			if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				t.Errorf("closed with %v", err)
			}
			break
		}
		var f struct{ Type, Reason string }
		w.ok(json.Unmarshal(b, &f))
		kinds = append(kinds, f.Type+f.Reason)
	}
	if !slices.Equal(kinds, []string{"hello", "disconnectlink_disabled"}) {
		t.Errorf("frames: %v", kinds)
	}
}

func TestSilentSocket(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	l := w.listen()
	l.connected(1)
	w.app.Stall()
	w.ann.Say(w.general, "into the void")
	l.connected(2) // the client misses the pings
	w.bob.Say(w.general, "sound again")
	l.until("a message", func() bool { return slices.Contains(l.texts(), "sound again") })
}

func TestMalformedFrames(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	l := w.listen()
	l.connected(1)
	if !w.app.SendRaw([]byte(`{"type":"events_api","envelope_id":`)) || !w.app.SendRaw([]byte(`{"type":"teleport","envelope_id":"x"}`)) {
		t.Fatal("no socket")
	}
	w.app.SendEvent(w.acme, map[string]any{"type": "moon_phase_changed", "phase": "full", "event_ts": "1.000100"})
	w.app.SendEvent(w.acme, map[string]any{"type": "subteam_updated", "event_ts": "1.000100", "subteam": map[string]any{"id": "S1", "user_count": "3"}})
	w.slack.EmptyPrevious(true)
	w.ann.Edit(w.ann.Say(w.general, "a"), "b")
	w.ann.Say(w.general, "end")
	l.until("the end", func() bool { return slices.Contains(l.texts(), "end") })
	l.until("the bad ones", func() bool { return l.bad >= 4 })
	if !w.slack.Await(deadline(t), func() bool { return w.app.Unacknowledged() == 3 }) {
		t.Errorf("%d events wait that slack-go cannot read, want 3", w.app.Unacknowledged())
	}
	if n := w.slack.EndRedeliveries(); n != 3 || w.app.Unacknowledged() != 0 {
		t.Errorf("gave up %d, %d left", n, w.app.Unacknowledged())
	}
}
