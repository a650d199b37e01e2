package conformance

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// recordingT is a test that must fail, and whose failure is looked at.
type recordingT struct {
	testing.TB
	mu     sync.Mutex
	errors []string
}

func (w *recordingT) Helper() {}

func (w *recordingT) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errors = append(w.errors, fmt.Sprintf(format, args...))
}

// watched is a fake server whose checker fails a witness.
func watched(t *testing.T) (*fake.Server, *fake.Bot, *recordingT) {
	t.Helper()
	seen := &recordingT{TB: t}
	s := fake.New(fake.Options{Checker: New(seen)})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, s.AddBot(fake.App{Name: "bridge", Allowed: fake.PrivilegedIntents}), seen
}

func (w *recordingT) says(t *testing.T, what, want string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	all := strings.Join(w.errors, "\n")
	if want == "" && all != "" || want != "" && !strings.Contains(all, want) {
		t.Errorf("%s: the test says %q, want something of %q", what, all, want)
	}
}

// A test whose fake server has the checker fails with the first request that Discord would not know, and
// with none that it would.
func TestTheCheckerFailsTheTest(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/users/@me": "", "/users/@me/guilds?limit=10": "", "/users/@me/guilds?newest=1": "newest", "/users/@me/friends": "no such operation",
	} {
		s, bot, seen := watched(t)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.APIURL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bot "+bot.Token())
		r.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
		client := &http.Client{Transport: &http.Transport{}}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close() // only what the checker says matters
		client.CloseIdleConnections()
		seen.says(t, path, want)
	}
}

// The same for the gateway.
func TestTheCheckerFailsTheTestOfAGateway(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"op":1,"d":null}`: "", `{"op":2,"d":{"token":"TOKEN","intents":1,"mood":"good","properties":{"os":"a","browser":"b","device":"c"}}}`: "mood", `{"op":7,"d":null}`: "opcode 7",
	} {
		s, bot, seen := watched(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.URL(), "http")+"/?v=10&encoding=json", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(ctx); err != nil { // hello
			t.Fatal(err)
		}
		if err := ws.Write(ctx, websocket.MessageText, []byte(strings.ReplaceAll(payload, "TOKEN", bot.Token()))); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(ctx); err != nil && ctx.Err() != nil { // an answer or a close frame
			t.Fatal(err)
		}
		_ = ws.CloseNow()
		seen.says(t, payload, want)
	}
}
