package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
)

// fixedAnswers are a server's answers, by method; a method that is not among them is refused.
type fixedAnswers map[string]string

// RoundTrip implements http.RoundTripper.
func (a fixedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	body, ok := a[method]
	if !ok {
		body = `{"ok":false,"error":"not_found"}`
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// answered is a client whose calls have fixed answers.
type answered struct {
	*client
	answers fixedAnswers
	sink    *recorder.Sink
	log     *bytes.Buffer
	app     *app
}

func newAnswered(t *testing.T) *answered {
	t.Helper()
	a := &answered{sink: recorder.New(), log: &bytes.Buffer{}, answers: fixedAnswers{
		"conversations.info": `{"ok":true,"channel":{"id":"C1","name":"general","is_member":true}}`,
		"users.info":         `{"ok":true,"user":{"id":"U2","name":"ben"}}`,
	}}
	n := New(Options{Log: slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelError})), Pace: 1})
	n.http = &http.Client{Transport: a.answers}
	a.client = newClient(n, transports.Login{ID: "1"}, credentials{Team: "T1", Self: "U1"}, a.sink)
	t.Cleanup(a.stop)
	a.app = newApp(n, a.cred)
	a.app.add(a.client)
	return a
}

// dispatch gives an event to the client, and returns whether Slack may forget it.
func (a *answered) dispatch(event []byte) (taken bool) {
	d := &delivery{done: func(ok bool) { taken = ok }}
	d.begin()
	a.app.dispatch(context.Background(), d, []byte(`{"type":"event_callback","team_id":"T1","event":`+string(event)+`}`))
	d.end(nil)
	return taken
}

// withIDs puts the ids of the test into a published sample, whose texts are empty.
func withIDs(event map[string]any) []byte {
	var put func(v any)
	put = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				put(e)
			}
		case map[string]any:
			for key, value := range v {
				put(value)
				if value != "" {
					continue
				}
				switch key {
				case "channel", "channel_id":
					v[key] = "C1"
				case "user", "user_id", "inviter":
					v[key] = "U2"
				case "ts", "event_ts", "deleted_ts":
					v[key] = "1700000000.000200"
				}
			}
		}
	}
	put(event)
	data, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return data
}

// mutable are the events that are mutated: those that Slack publishes, and the messages of testdata/messages.json.
func mutable(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, event := range samples(t) {
		if strings.HasPrefix(name, "rtm/") { // of an interface that is not used here; most are the same events again
			continue
		}
		if event["type"] != "tokens_revoked" && event["type"] != "app_uninstalled" {
			all[name] = withIDs(event)
		}
	}
	for _, c := range messageSamples(t) {
		event := map[string]any{"type": "message", "channel": "C1", "user": "U2", "ts": "1700000000.000200", "event_ts": "1700000000.000200"}
		if err := json.Unmarshal(c.JSON, &event); err != nil {
			t.Fatal(err)
		}
		all[c.Name] = withIDs(event)
	}
	return all
}

// essential are the values without which nobody knows what an event is, where it belongs or what it changes.
func essential(path string) bool {
	switch path {
	case "", "type", "subtype", "channel", "ts":
		return true
	}
	return false
}

// Any value of an event may have another type than it ever had. Such an event is acknowledged, what can be understood of it is
// shown, and its neighbours arrive.
func TestMutantEvents(t *testing.T) {
	t.Parallel()
	a := newAnswered(t)
	after := []byte(`{"type":"message","channel":"C1","user":"U2","text":"after","ts":"1700000000.000300"}`)
	n := 0
	for name, event := range mutable(t) {
		var head struct{ Type, Subtype string }
		if err := json.Unmarshal(event, &head); err != nil {
			t.Fatal(err)
		}
		whole := head.Type == "message" && (head.Subtype == "" || head.Subtype == "bot_message")
		recorder.Mutants(t, event, func(path string, mutant []byte) {
			n++
			if head.Type != "message" { // it may have closed the channel
				a.forget("C1")
			}
			if !a.dispatch(mutant) {
				t.Errorf("%s with another %s is not acknowledged: %s", name, path, mutant)
			}
			keys := a.sink.TakeKeys()
			if whole && !essential(path) && !keys["1700000000.000200"] {
				t.Errorf("%s with another %s is not shown: %s", name, path, mutant)
			}
			if !a.dispatch(after) || !a.sink.TakeKeys()["1700000000.000300"] {
				t.Errorf("after %s with another %s nothing comes", name, path)
			}
			if a.log.Len() > 0 {
				t.Errorf("%s with another %s: %s", name, path, a.log)
				a.log.Reset()
			}
		})
	}
	t.Logf("%d events", n)
}

// The same in a channel's history, where the messages come in one answer.
func TestMutantHistory(t *testing.T) {
	t.Parallel()
	a := newAnswered(t)
	n := 0
	for name, event := range mutable(t) {
		var head struct{ Type, Subtype string }
		if err := json.Unmarshal(event, &head); err != nil {
			t.Fatal(err)
		}
		if head.Type != "message" {
			continue
		}
		recorder.Mutants(t, event, func(path string, mutant []byte) {
			n++
			a.answers["conversations.history"] = `{"ok":true,"has_more":false,"messages":[{"type":"message","user":"U2","text":"after","ts":"1700000000.000300"},` +
				string(mutant) + `,{"type":"message","user":"U2","text":"before","ts":"1700000000.000100"}]}`
			since := [...]transports.MessageID{"", "1700000000.000050"}[n%2]
			page, err := a.History(t.Context(), transports.HistoryRequest{Room: "t1-c1", After: since, Limit: 10})
			keys := map[string]bool{}
			for _, e := range page.Events {
				keys[e.Key] = true
			}
			if err != nil || !keys["1700000000.000100"] || !keys["1700000000.000300"] {
				t.Fatalf("beside %s with another %s: %v, %v", name, path, err, keys)
			}
			if (head.Subtype == "" || head.Subtype == "bot_message") && !essential(path) && !keys["1700000000.000200"] {
				t.Errorf("%s with another %s is not shown: %s", name, path, mutant)
			}
		})
	}
	t.Logf("%d messages", n)
}

// Any value of an answer may have another type: the elements beside it are there.
func TestMutantAnswers(t *testing.T) {
	t.Parallel()
	list := func(format string) string {
		return fmt.Sprintf(format, 1) + "," + fmt.Sprintf(format, 2) + "," + fmt.Sprintf(format, 3)
	}
	page := `"response_metadata":{"next_cursor":""}}`
	for method, c := range map[string]struct {
		answer string
		list   string // in it the second element is mutated
		ask    func(a *answered) (n int, err error)
	}{
		"users.list": {`{"ok":true,"members":[` + list(`{"id":"U1%d","name":"n","deleted":false,"is_bot":false,"profile":{"display_name":"N","image_192":"https://e.org/x"}}`) + `],` + page, "members", func(a *answered) (n int, err error) {
			return n, a.Contacts(t.Context(), func(people []transports.UserInfo) error { n += len(people); return nil })
		}},
		"users.conversations": {`{"ok":true,"channels":[` + list(`{"id":"C1%d","name":"n","is_member":true,"topic":{"value":"x"},"num_members":4}`) + `],` + page, "channels", func(a *answered) (n int, err error) {
			a.answers["conversations.list"] = `{"ok":true,"channels":[]}`
			return n, a.Rooms(t.Context(), func(rooms []transports.RoomInfo) error { n += len(rooms); return nil })
		}},
		"conversations.members": {`{"ok":true,"members":[` + list(`"U1%d"`) + `],` + page, "members", func(a *answered) (int, error) {
			all, err := a.Members(t.Context(), transports.MemberRequest{Room: "t1-c1", Limit: 10})
			return len(all.Members), err
		}},
		"conversations.info": {`{"ok":true,"channel":{"id":"C1","name":"general","is_member":true,"is_im":false,"topic":{"value":"x"}}}`, "", func(a *answered) (int, error) {
			_, err := a.Room(t.Context(), "t1-c1")
			return 0, err
		}},
		"users.info": {`{"ok":true,"user":{"id":"U2","name":"ben","profile":{"display_name":"Ben"}}}`, "", func(a *answered) (int, error) {
			_, err := a.Profile(t.Context(), "t1-u2")
			return 0, err
		}},
		"users.getPresence": {`{"ok":true,"presence":"active","online":true}`, "", func(a *answered) (int, error) {
			var v struct{}
			return 0, a.paced(t.Context(), "users.getPresence", url.Values{}, &v)
		}},
		"chat.update": {`{"ok":true,"channel":"C1","ts":"1700000000.000100","text":"x","message":{"type":"message","blocks":[{"type":"rich_text"}]}}`, "", func(a *answered) (int, error) {
			_, err := a.Edit(t.Context(), transports.MessageRef{Room: "t1-c1", ID: "1700000000.000100"}, outgoing("x", "1"))
			return 0, err
		}},
		"reactions.add": {`{"ok":true,"response_metadata":{"messages":["x"]}}`, "", func(a *answered) (int, error) {
			return 0, a.React(t.Context(), transports.MessageRef{Room: "t1-c1", ID: "1700000000.000100"}, transports.ReactionChange{Add: []string{"👍"}})
		}},
		"chat.delete": {`{"ok":true,"channel":"C1","ts":"1700000000.000100"}`, "", func(a *answered) (int, error) {
			return 0, a.Delete(t.Context(), transports.MessageRef{Room: "t1-c1", ID: "1700000000.000100"})
		}},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			a := newAnswered(t)
			recorder.Mutants(t, []byte(c.answer), func(path string, mutant []byte) {
				if path == "" || path == "ok" {
					return
				}
				a.answers[method] = string(mutant)
				n, err := c.ask(a)
				if err != nil {
					t.Errorf("another %s: %v", path, err)
				}
				if c.list != "" && strings.HasPrefix(path, c.list+"[") && n < 2 {
					t.Errorf("another %s leaves %d: %s", path, n, mutant)
				}
			})
		})
	}
}

// What could not be read is kept as it came, once for each kind, and shown to nobody.
func TestUnreadableValuesAreKept(t *testing.T) {
	t.Parallel()
	a := newAnswered(t)
	for i := range 3 {
		event := fmt.Sprintf(`{"type":"message","channel":"C1","user":"U2","text":["x"],"ts":"1700000000.00010%d"}`, i)
		if !a.dispatch([]byte(event)) {
			t.Error("not acknowledged")
		}
	}
	a.sink.Lock()
	defer a.sink.Unlock()
	var kept []transports.Unreadable
	for _, e := range a.sink.Events {
		if u, ok := e.Body.(transports.Unreadable); ok {
			kept = append(kept, u)
		}
	}
	if len(kept) != 1 || len(a.sink.Events) != 4 || !strings.Contains(string(kept[0].Raw), `"text":["x"]`) || kept[0].Values[0] != "event.text" {
		t.Errorf("%d events, kept %+v", len(a.sink.Events), kept)
	}
}
