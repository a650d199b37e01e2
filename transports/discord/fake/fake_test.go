package fake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/fake/conformance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testDiscord is a Discord with one guild, some users and a bot with all rights that a bridge needs.
type testDiscord struct {
	*testing.T
	*fake.Server
	ctx             context.Context
	guild           fake.ID
	owner, ann, bob fake.ID
	general         fake.ID
	bot             *fake.Bot
}

// newTestDiscord starts a fake server; every request and event of it is checked.
func newTestDiscord(t *testing.T, o fake.Options) *testDiscord {
	t.Helper()
	o.Checker = conformance.New(t)
	s := fake.New(o)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	w := &testDiscord{T: t, Server: s, ctx: ctx}
	w.owner = s.AddUser(fake.User{Name: "owner"})
	w.ann = s.AddUser(fake.User{Name: "ann", Display: "Ann Example", Avatar: true})
	w.bob = s.AddUser(fake.User{Name: "bob"})
	w.guild = s.AddGuild("Acme", w.owner)
	s.AddMember(w.guild, w.ann)
	s.AddMember(w.guild, w.bob)
	w.general = s.AddChannel(w.guild, fake.Channel{Name: "general", Topic: "All and nothing"})
	w.bot = s.AddBot(fake.App{Name: "bridge", Allowed: fake.PrivilegedIntents})
	w.bot.Install(w.guild, fake.BridgePermissions)
	return w
}

// must is for actions that cannot fail.
func must[V any](t testing.TB) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *testDiscord) id(id fake.ID, err error) fake.ID {
	w.Helper()
	return must[fake.ID](w)(id, err)
}

func (w *testDiscord) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// rest is discordgo as it is, with a transport that leads to the fake server.
func (w *testDiscord) rest(b *fake.Bot) *discordgo.Session {
	w.Helper()
	d, err := discordgo.New("Bot " + b.Token())
	w.ok(err)
	d.Client = &http.Client{Transport: w.Transport(), Timeout: 10 * time.Second}
	w.Cleanup(d.Client.CloseIdleConnections)
	d.MaxRestRetries = 0
	d.ShouldRetryOnRateLimit = false
	return d
}

// answer is what came of a raw request.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	list   []any
	raw    []byte
}

// call makes one raw request of version 10.
func (w *testDiscord) call(method, path string, body any) answer {
	w.Helper()
	a, err := w.try(method, path, body)
	w.ok(err)
	return a
}

func (w *testDiscord) try(method, path string, body any) (answer, error) {
	w.Helper()
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		w.ok(err)
		reader = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(w.ctx, method, w.APIURL()+path, reader)
	w.ok(err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
	r.Header.Set("Authorization", "Bot "+w.bot.Token())
	return w.send(r)
}

func (w *testDiscord) send(r *http.Request) (answer, error) {
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.raw, err = io.ReadAll(res.Body); err != nil {
		return a, err
	}
	if bytes.HasPrefix(a.raw, []byte("[")) {
		err = json.Unmarshal(a.raw, &a.list)
	} else if bytes.HasPrefix(a.raw, []byte("{")) {
		err = json.Unmarshal(a.raw, &a.body)
	}
	return a, err
}

// refused makes a raw request that has to fail with a status and a code.
func (w *testDiscord) refused(method, path string, body any, status, code int) answer {
	w.Helper()
	a := w.call(method, path, body)
	if a.status != status || a.body["code"] != float64(code) {
		w.Errorf("%s %s: answered %d, %s; want %d and code %d", method, path, a.status, a.raw, status, code)
	}
	return a
}

// receive waits for a value, but not for ever.
func receive[V any](w *testDiscord, c <-chan V) V {
	w.Helper()
	select {
	case v := <-c:
		return v
	case <-w.ctx.Done():
		w.Fatal("nothing came")
		panic("unreachable")
	}
}

func text(id fake.ID) string { return string(id) }

func path(parts ...any) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		switch p := p.(type) {
		case string:
			b.WriteString(p)
		case fake.ID:
			b.WriteString(string(p))
		}
	}
	return b.String()
}
