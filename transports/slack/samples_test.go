package slack

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack/slackevents"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
)

// samples are the published events, and some that were seen besides, which slack-go refuses too.
func samples(t *testing.T) map[string]map[string]any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "integration", "testdata", "slack", "event-samples.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for name, event := range map[string]string{
		"seen/previous message is a list": `{"type":"message","subtype":"message_changed","channel":"","ts":"","event_ts":"","previous_message":[],"message":{"type":"message","user":"","text":"x","ts":"","edited":{"user":"","ts":""}}}`,
		"seen/user_count is a text":       `{"type":"subteam_updated","subteam":{"id":"S1","user_count":"12"},"event_ts":""}`,
		"seen/members changed":            `{"type":"subteam_members_changed","subteam_id":"S1","added_users_count":"1","added_users":"U1","event_ts":""}`,
		"seen/user is a number":           `{"type":"message","channel":"","user":7,"text":"x","ts":"","event_ts":""}`,
		"seen/text is null":               `{"type":"message","channel":"","user":"","text":null,"blocks":{},"attachments":"","files":{},"ts":"","event_ts":""}`,
		"seen/channel is a list":          `{"type":"channel_rename","channel":[],"event_ts":""}`,
		"seen/no type":                    `{"event_ts":""}`,
	} {
		var e map[string]any
		if err := json.Unmarshal([]byte(event), &e); err != nil {
			t.Fatal(err)
		}
		all[name] = e
	}
	return all
}

// settle puts an event, whose texts are empty, into the world: a channel, a person, a time.
func (w *world) settle(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = w.settle(v[i])
		}
	case map[string]any:
		for key, value := range v {
			if value != "" {
				v[key] = w.settle(value)
				continue
			}
			switch key {
			case "channel", "channel_id":
				v[key] = w.general.ID
			case "user", "user_id", "inviter":
				v[key] = w.ben.ID
			case "ts", "event_ts", "deleted_ts":
				v[key] = "1700000000.000100"
			}
		}
	}
	return v
}

// refusedBySDK reports whether slack-go cannot read an event.
func refusedBySDK(t *testing.T, event map[string]any) bool {
	t.Helper()
	data, err := json.Marshal(map[string]any{"type": "event_callback", "team_id": "T1", "event": event})
	if err != nil {
		t.Fatal(err)
	}
	_, err = slackevents.ParseEvent(data, slackevents.OptionNoVerifyToken())
	return err != nil
}

// shared is a log that many goroutines write.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Every event that Slack publishes is acknowledged, those that slack-go refuses among them, and none
// of them ends the client or the process.
func TestPublishedEventsAreAllTaken(t *testing.T) {
	log := &shared{}
	w := newWorld(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
	s, k := w.open(w.link(w.userTok))
	refused := 0
	for name, event := range samples(t) {
		if event["type"] == "tokens_revoked" || event["type"] == "app_uninstalled" {
			continue // these do end it
		}
		if refusedBySDK(t, event) {
			refused++
		}
		w.settle(event)
		began := time.Now()
		w.app.SendEvent(w.acme, event)
		if !w.server.Await(deadline(t), func() bool { return w.app.Unacknowledged() == 0 }) {
			t.Fatalf("%s is not acknowledged", name)
		}
		if took := time.Since(began); took > w.patience { // or it was given up, unacknowledged
			t.Fatalf("%s took %v:\n%s", name, took, log)
		}
	}
	if refused < 28 {
		t.Errorf("slack-go refuses only %d of them", refused)
	}
	(&scene{w, t, s, k}).checkMessages()
	for _, bad := range []string{"panic", "cannot be read", "not taken"} {
		if strings.Contains(log.String(), bad) {
			t.Errorf("%s: %s", bad, log)
		}
	}
	for line, want := range map[string]int{"reactions +": 1, "delete": 1, "edit ": 1, "message ": 5, "member": 2} {
		n := 0
		for _, e := range k.Snapshot() {
			if strings.HasPrefix(recorder.Line(e), line) {
				n++
			}
		}
		if n < want {
			t.Errorf("%d events of %q, want %d at least", n, line, want)
		}
	}
	for _, e := range k.Snapshot() {
		if m, ok := e.Body.(transports.Message); ok && m.ID == "" {
			t.Errorf("a message without an id: %+v", e)
		}
	}
}
