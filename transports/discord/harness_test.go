package discord

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/fake/honest"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// world is a stand-in with one guild, two people and a channel.
type world struct {
	*fake.Server
	t        *testing.T
	guild    fake.ID
	ann, ben fake.ID
	general  fake.ID
	bot      *fake.Bot
	net      *Network
}

func newWorld(t *testing.T, change ...func(*fake.Options)) *world {
	t.Helper()
	t.Parallel()
	o := fake.Options{Checker: honest.New(t), Heartbeat: 500 * time.Millisecond, Unlimited: true}
	for _, c := range change {
		c(&o)
	}
	w := &world{t: t, Server: fake.New(o)}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Server.Close(); err != nil {
			t.Error(err)
		}
	})
	owner := w.AddUser(fake.User{Name: "owner"})
	w.ann = w.AddUser(fake.User{Name: "ann", Display: "Ann Example", Avatar: true})
	w.ben = w.AddUser(fake.User{Name: "ben"})
	w.guild = w.AddGuild("Acme", owner)
	w.AddMember(w.guild, w.ann)
	w.AddMember(w.guild, w.ben)
	w.general = w.AddChannel(w.guild, fake.Channel{Name: "general", Topic: "All things"})
	w.bot = w.AddBot(fake.App{Name: "bridge", Allowed: fake.PrivilegedIntents})
	w.bot.Install(w.guild, fake.BridgePermissions)
	var err error
	w.net, err = New(Options{
		APIURL: w.APIURL(), Timeout: 5 * time.Second, RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) link() transports.Account {
	w.t.Helper()
	login, err := w.net.StartLogin(w.t.Context(), "bot", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	step, err := login.Next(w.t.Context(), map[string]string{"token": w.bot.Token()})
	if err != nil {
		w.t.Fatal(err)
	}
	step.Done.ID = "a1"
	return *step.Done
}

// open opens an account and waits until it is connected.
func (w *world) open(account transports.Account) (*session, *sink) {
	w.t.Helper()
	k := &sink{changed: make(chan struct{}, 1)}
	s, err := w.net.Open(w.t.Context(), account, k)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			w.t.Error(err)
		}
	})
	k.await(w.t, "online", func() bool { return k.state == transports.Online })
	return s.(*session), k
}

func (w *world) say(channel, who fake.ID, text string) string {
	w.t.Helper()
	id, err := w.Say(channel, who, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(id)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func say(channel fake.ID, text, id string) transports.Outgoing {
	return transports.Outgoing{
		Room: transports.RoomID(channel), ClientID: id, Attempt: 1, Since: time.Now(), Text: richtext.ParseStyling(text),
		Known: func(transports.MessageID) bool { return false },
	}
}

// sink keeps what a session delivers.
type sink struct {
	mu      sync.Mutex
	events  []transports.Event
	state   transports.State
	cause   error
	causes  []error
	finals  int // states after which nothing comes
	resyncs int
	saved   json.RawMessage
	notices []string
	changed chan struct{}
}

func (k *sink) note(f func()) {
	k.mu.Lock()
	f()
	k.mu.Unlock()
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

func (k *sink) Deliver(_ context.Context, e transports.Event) error {
	k.note(func() { k.events = append(k.events, e) })
	return nil
}

func (k *sink) State(s transports.State, cause error) {
	k.note(func() {
		k.state, k.cause = s, cause
		if cause != nil {
			k.causes = append(k.causes, cause)
		}
		if s == transports.NeedsLogin || s == transports.Failed {
			k.finals++
		}
	})
}

func (k *sink) Resynced()                  { k.note(func() { k.resyncs++ }) }
func (k *sink) Save(state json.RawMessage) { k.note(func() { k.saved = state }) }
func (k *sink) Notice(key, text string) {
	k.note(func() { k.notices = append(k.notices, key+": "+text) })
}

func (k *sink) Rotate(context.Context, []byte) error { return nil }

func (k *sink) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		k.mu.Lock()
		done := ok()
		k.mu.Unlock()
		if done {
			return
		}
		select {
		case <-k.changed:
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			k.mu.Lock()
			defer k.mu.Unlock()
			t.Fatalf("no %s; state %v (%v), events:\n%s", what, k.state, k.cause, dump(k.events))
		}
	}
}

// event waits for an event whose line begins like that.
func (k *sink) event(t *testing.T, line string) transports.Event {
	t.Helper()
	var found transports.Event
	k.await(t, line, func() bool {
		for _, e := range k.events {
			if strings.HasPrefix(brief(e), line) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// all are the events with exactly that line.
func (k *sink) all(line string) []transports.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []transports.Event
	for _, e := range k.events {
		if brief(e) == line {
			all = append(all, e)
		}
	}
	return all
}

// snapshot are all events so far.
func (k *sink) snapshot() []transports.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]transports.Event(nil), k.events...)
}

func brief(e transports.Event) string {
	switch b := e.Body.(type) {
	case transports.Message:
		return "message " + b.Text.Styling()
	case transports.Edit:
		return "edit " + b.Text.Styling()
	case transports.Reactions:
		return "reactions +" + strings.Join(b.Add, ",") + " -" + strings.Join(b.Remove, ",")
	}
	return transports.BodyKind(e.Body)
}

func dump(events []transports.Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(e.Key + " " + brief(e) + "\n")
	}
	return b.String()
}
