package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
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

// A test whose fake server has the hook fails with the first request that Slack would not know, and with none
// that it would.
func TestTheHookFailsTheTest(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"": "", "limit=10": "", "limit=ten": "limit", "newest=1": "newest", "limit=1&limit=2": "limit",
	} {
		seen := &recordingT{TB: t}
		s := fake.New(fake.Options{Check: Hook(seen)})
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		in := s.AddApp(fake.AppSpec{Name: "X"}).Install(s.AddWorkspace("Acme", "acme"))
		form, err := url.ParseQuery(body)
		if err != nil {
			t.Fatal(err)
		}
		form.Set("token", in.Token)
		client := &http.Client{Transport: &http.Transport{}}
		answer, err := client.PostForm(s.APIURL()+"users.conversations", form)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close() // only what the hook says matters
		client.CloseIdleConnections()
		complaints := len(s.Complaints())
		s.Close()
		all := strings.Join(seen.errors, "\n")
		if want == "" && (all != "" || complaints > 0) || want != "" && (!strings.Contains(all, want) || !strings.Contains(all, "users.conversations") || complaints == 0) {
			t.Errorf("%q: %d complaints, the test says %q", body, complaints, all)
		}
	}
}
