package fake_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
	"github.com/dragoman-im/dragoman/transports/slack/fake/conformance"
)

// called are the methods that the tests called.
var called sync.Map

// TestMain checks for leaks, and that a client called every method.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if code == 0 && flag.Lookup("test.run").Value.String() == "" {
		for _, name := range fake.Methods() {
			if _, ok := called.Load(name); !ok {
				fmt.Fprintf(os.Stderr, "no test calls %s\n", name)
				code = 1
			}
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// testSlack is a small Slack: ann and bob and the bot in #general, ann alone in #cellar, carl
// (an admin) in neither.
type testSlack struct {
	*testing.T
	slack           *fake.Server
	acme            *fake.Workspace
	ann, bob, carl  *fake.User
	general, cellar *fake.Channel
	app             *fake.App
	in              *fake.Install
	bot, asAnn      *slack.Client
	annToken        string
}

func newTestSlack(t *testing.T, options ...func(*fake.Options)) *testSlack {
	t.Helper()
	opt := fake.Options{Check: conformance.Hook(t), PingEvery: 50 * time.Millisecond}
	for _, f := range options {
		f(&opt)
	}
	check := opt.Check
	opt.Check = func(kind, name string, payload any) error {
		if kind == fake.KindRequest {
			called.Store(name, true)
		}
		return check(kind, name, payload)
	}
	s := fake.New(opt)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := &testSlack{T: t, slack: s, acme: s.AddWorkspace("Acme", "acme")}
	w.ann = w.acme.AddUser(fake.Person{Name: "ann", RealName: "Ann Example", DisplayName: "Ann", Email: "ann@example.org", TZ: "Europe/Berlin"})
	w.bob = w.acme.AddUser(fake.Person{Name: "bob", RealName: "Bob Example"})
	w.carl = w.acme.AddUser(fake.Person{Name: "carl", Admin: true})
	w.app = s.AddApp(fake.AppSpec{Name: "Dragoman"})
	w.in = w.app.Install(w.acme)
	w.annToken = w.app.Link(w.ann)
	w.general = w.acme.AddChannel(fake.Room{Name: "general", General: true, Topic: "All & sundry", Members: []*fake.User{w.ann, w.bob, w.in.Bot}})
	w.cellar = w.acme.AddChannel(fake.Room{Name: "cellar", Private: true, Members: []*fake.User{w.ann}})
	s.EndRedeliveries() // no app was connected for the first events
	w.bot = w.client(w.in.Token)
	w.asAnn = w.client(w.annToken)
	return w
}

// allowUndocumented allows requests that Slack does not document.
func allowUndocumented(o *fake.Options) {
	check := o.Check
	o.Check = func(kind, name string, payload any) error {
		if kind == fake.KindRequest {
			return nil
		}
		return check(kind, name, payload)
	}
}

func (w *testSlack) client(token string) *slack.Client {
	return slack.New(token, slack.OptionAPIURL(w.slack.APIURL()), slack.OptionAppLevelToken(w.app.Token),
		slack.OptionHTTPClient(newHTTP(w.T)))
}

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// wants checks that err is the answer with that code.
func (w *testSlack) wants(err error, code string) {
	w.Helper()
	var r slack.SlackErrorResponse
	if !errors.As(err, &r) || r.Err != code {
		w.Errorf("error is %v, want %s", err, code)
	}
}

// ok checks that there is no error.
func (w *testSlack) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}
