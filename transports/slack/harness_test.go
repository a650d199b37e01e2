package slack

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
	"github.com/dragoman-im/dragoman/transports/slack/fake/conformance"
)

// world is a fake server with one workspace, three people and a channel that two of them and the app are in.
type world struct {
	t        *testing.T
	server   *fake.Server
	acme     *fake.Workspace
	ann, ben *fake.User
	general  *fake.Channel
	app      *fake.App
	install  *fake.Install
	userTok  string        // Ann's
	patience time.Duration // of Slack with an envelope, retries included
	net      *Network
}

// ackTimeout is for how long an envelope may be without its acknowledgement.
const ackTimeout = 300 * time.Millisecond

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	t.Parallel()
	w := &world{t: t, patience: 4*ackTimeout + 100*time.Millisecond}
	w.server = fake.New(fake.Options{
		Check: conformance.Hook(t), AckTimeout: ackTimeout, PingEvery: time.Second,
		RetryAfter: []time.Duration{0, 50 * time.Millisecond, 50 * time.Millisecond},
	})
	if err := w.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.server.Close)
	t.Cleanup(func() {
		for _, c := range w.server.Complaints() {
			t.Errorf("complaint of the fake server: %v", c)
		}
	})
	w.acme = w.server.AddWorkspace("Acme", "acme")
	w.ann = w.acme.AddUser(fake.Person{Name: "ann", RealName: "Ann Able", DisplayName: "Ann", Email: "ann@acme.example"})
	w.ben = w.acme.AddUser(fake.Person{Name: "ben", RealName: "Ben Best"})
	w.general = w.acme.AddChannel(fake.Room{Name: "general", General: true, Topic: "All things", Members: []*fake.User{w.ann, w.ben}})
	w.app = w.server.AddApp(fake.AppSpec{Name: "Dragoman"})
	w.install = w.app.Install(w.acme)
	w.ben.Invite(w.general, w.install.Bot)
	w.userTok = w.app.Link(w.ann)
	w.server.EndRedeliveries() // no app was connected for the first events
	o := Options{APIURL: w.server.APIURL(), Timeout: 5 * time.Second, Pace: time.Millisecond, RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	w.net = New(o)
	return w
}

// link goes through the login with the given user token, which may be empty.
func (w *world) link(user string) transports.Login {
	w.t.Helper()
	return recorder.Link(w.t, w.net, "tokens", map[string]string{"app": w.app.Token, "bot": w.install.Token, "user": user})
}

// open opens a login and waits until its socket is there.
func (w *world) open(login transports.Login) (*client, *recorder.Sink) {
	w.t.Helper()
	s, k := recorder.Open(w.t, w.net, login)
	if !w.server.Await(deadline(w.t), func() bool { return w.app.Sockets() > 0 }) { // Slack has said hello
		w.t.Fatal("no socket")
	}
	return s.(*client), k
}

func (w *world) room() transports.RoomID { return roomID(w.acme.ID, w.channelID()) }

func (w *world) channelID() string { return w.acme.Channel("general").ID }

func outgoing(text, id string) transports.Outgoing {
	return transports.Outgoing{ClientID: id, Attempt: 1, Since: time.Now(), Text: richtext.ParseStyling(text)}
}

// edit changes a message, all of which has to fit.
func edit(s *client, message transports.MessageRef, m transports.Outgoing) error {
	rest, err := s.Edit(context.Background(), message, m)
	if len(rest) > 0 {
		return fmt.Errorf("the edit left %q", rest.String())
	}
	return err
}
