package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
)

// description is one of Discord's own descriptions of its objects, from which samples are made.
type description struct {
	t    *testing.T
	root map[string]any
}

func describe(t *testing.T, file string) *description {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "integration", "testdata", "discord", file))
	if err != nil {
		t.Fatal(err)
	}
	d := &description{t: t}
	if err := json.Unmarshal(data, &d.root); err != nil {
		t.Fatal(err)
	}
	return d
}

// at is the schema at a path.
func (d *description) at(path ...string) map[string]any {
	d.t.Helper()
	v := d.root
	for _, step := range path {
		next, ok := v[step].(map[string]any)
		if !ok {
			d.t.Fatalf("no %q of %q", step, path)
		}
		v = next
	}
	return v
}

// maxSample is how deep samples are.
const maxSample = 7

// sample makes a value that has every property of a schema.
func (d *description) sample(schema map[string]any, depth int) any {
	if ref, ok := schema["$ref"].(string); ok {
		return d.sample(d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...), depth)
	}
	if v, ok := schema["const"]; ok {
		return v
	}
	if list, ok := schema["enum"].([]any); ok && len(list) > 0 {
		return list[0]
	}
	for _, of := range []string{"allOf", "oneOf", "anyOf"} {
		for _, one := range anyList(schema[of]) {
			if v := d.sample(one.(map[string]any), depth); v != nil {
				return v
			}
		}
	}
	types := anyList(schema["type"])
	if one, ok := schema["type"].(string); ok {
		types = []any{one}
	}
	switch {
	case slices.Contains(types, any("object")) || schema["properties"] != nil:
		return d.object(schema, depth)
	case slices.Contains(types, any("array")):
		if items, ok := schema["items"].(map[string]any); ok && depth < maxSample {
			if v := d.sample(items, depth+1); v != nil {
				return []any{v}
			}
		}
		return []any{}
	case slices.Contains(types, any("string")):
		return map[any]string{"snowflake": "1000000000000000042", "date-time": "2026-01-01T00:00:00+00:00"}[schema["format"]]
	case slices.Contains(types, any("integer")), slices.Contains(types, any("number")):
		return 0.0
	case slices.Contains(types, any("boolean")):
		return false
	}
	return nil
}

func anyList(v any) []any {
	list, _ := v.([]any)
	return list
}

func (d *description) object(schema map[string]any, depth int) any {
	if depth >= maxSample {
		return nil
	}
	all := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	for key, p := range properties {
		if key == "referenced_message" || key == "message_snapshots" { // messages in messages are cases of messages.json
			continue
		}
		if p, ok := p.(map[string]any); ok {
			if v := d.sample(p, depth+1); v != nil {
				all[key] = v
			}
		}
	}
	return all
}

// fixedAnswers are a server's answers: "GET /channels/1001".
type fixedAnswers map[string]string

// RoundTrip implements http.RoundTripper.
func (a fixedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	_, path, _ := strings.Cut(r.URL.Path, "/v10")
	status, body := http.StatusOK, a[r.Method+" "+path]
	if body == "" {
		status, body = http.StatusNotFound, `{"code":10003,"message":"Unknown"}`
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// answered is a client whose calls have fixed answers.
type answered struct {
	*client
	answers fixedAnswers
	sink    *recorder.Sink
	log     *bytes.Buffer
	seq     int64
}

const guildCreate = `{"id":"1","name":"Acme","roles":[{"id":"1","name":"@everyone","permissions":"1024"}],"channels":[{"id":"1001","type":0,"name":"general"},{"id":"1002","type":0,"name":"other"}],` +
	`"members":[{"nick":"Ben","user":{"id":"200","username":"ben"}}],"presences":[],"threads":[],"emojis":[]}`

func newAnswered(t *testing.T) *answered {
	t.Helper()
	a := &answered{sink: recorder.New(), log: &bytes.Buffer{}, answers: fixedAnswers{}}
	n, err := New(Options{Log: slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		t.Fatal(err)
	}
	n.http = &http.Client{Transport: a.answers}
	a.client = newClient(n, transports.Login{ID: "1"}, credentials{Bot: "9", App: "8"}, a.sink)
	a.pace.SetLimit(1e9)
	a.guild(t)
	return a
}

// guild has the bot see its guild as it is.
func (a *answered) guild(t *testing.T) {
	t.Helper()
	if err := a.event("GUILD_CREATE", guildCreate); err != nil {
		t.Fatal(err)
	}
	a.sink.TakeKeys()
}

func (a *answered) event(kind, data string) error {
	a.seq++
	n := a.seq
	return a.dispatch(context.Background(), frame{Op: opDispatch, Data: json.RawMessage(data), Seq: &n, Type: kind})
}

func message(id, text string) string {
	return fmt.Sprintf(`{"id":%q,"channel_id":"1001","guild_id":"1","type":0,"content":%q,"author":{"id":"200","username":"ben"}}`, id, text)
}

// mutable are the messages that are mutated: one with everything that Discord describes, and those of testdata/messages.json.
func mutable(t *testing.T) map[string][]byte {
	t.Helper()
	d := describe(t, "openapi.json")
	whole, ok := d.sample(d.at("components", "schemas", "MessageResponse"), 0).(map[string]any)
	if !ok || len(whole) < 20 {
		t.Fatalf("%v", whole)
	}
	list := map[string]map[string]any{"everything": whole}
	for _, c := range messageSamples(t) {
		m := map[string]any{"author": map[string]any{"id": "200", "username": "ben"}}
		if err := json.Unmarshal(c.JSON, &m); err != nil {
			t.Fatal(err)
		}
		list[c.Name] = m
	}
	all := map[string][]byte{}
	for name, m := range list {
		maps.Copy(m, map[string]any{"id": "1000000000000000200", "channel_id": "1001", "guild_id": "1"})
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = data
	}
	return all
}

const before, mutated, after = "1000000000000000100", "1000000000000000200", "1000000000000000300"

// Any value of a message may have another type than it ever had. What can be understood of it is shown, and its neighbours arrive:
// live and in the history.
func TestMutantMessages(t *testing.T) {
	t.Parallel()
	a := newAnswered(t)
	n := 0
	for name, m := range mutable(t) {
		recorder.Mutants(t, m, func(path string, mutant []byte) {
			n++
			if err := a.event("MESSAGE_CREATE", string(mutant)); err != nil {
				t.Errorf("%s with another %s: %v", name, path, err)
			}
			if err := a.event("MESSAGE_CREATE", message(after, "after")); err != nil {
				t.Fatalf("after %s with another %s: %v", name, path, err)
			}
			keys := a.sink.TakeKeys()
			if !keys[after] || path != "" && path != "id" && path != "channel_id" && !keys[mutated] {
				t.Errorf("%s with another %s, live: %v", name, path, keys)
			}
			a.answers["GET /channels/1001/messages"] = "[" + message(after, "after") + "," + string(mutant) + "," + message(before, "before") + "]"
			a.api = a.n.api("") // whose limit of calls is not used up
			page, err := a.History(t.Context(), transports.HistoryRequest{Room: "1001", Limit: 3})
			for _, e := range page.Events {
				keys[e.Key] = true
			}
			if err != nil || !keys[before] || !keys[after] || path != "" && path != "id" && !keys[mutated] {
				t.Errorf("%s with another %s, in the history: %v, %v", name, path, err, keys)
			}
			if a.log.Len() > 0 {
				t.Errorf("%s with another %s: %s", name, path, a.log)
				a.log.Reset()
			}
		})
	}
	t.Logf("%d messages", n)
}

// The same with every event that the gateway describes: none of them ends the connection or is lost for the others.
func TestMutantEvents(t *testing.T) {
	t.Parallel()
	a := newAnswered(t)
	d := describe(t, "gateway.schema.json")
	n := 0
	for kind := range handlers {
		if kind == "READY" || kind == "RESUMED" {
			continue // TestMutantReady
		}
		event := d.at("$defs", "Dispatch", "properties", kind)
		sample, ok := d.sample(event, 0).(map[string]any)
		if !ok {
			t.Fatalf("no sample of %s: %v", kind, event)
		}
		putIDs(sample)
		data, err := json.Marshal(sample)
		if err != nil {
			t.Fatal(err)
		}
		recorder.Mutants(t, data, func(path string, mutant []byte) {
			n++
			if err := a.event(kind, string(mutant)); err != nil {
				t.Errorf("%s with another %s: %v", kind, path, err)
			}
			if !strings.HasPrefix(kind, "MESSAGE") && !strings.HasPrefix(kind, "TYPING") && !strings.HasPrefix(kind, "PRESENCE") {
				a.guild(t)
			}
			if err := a.event("MESSAGE_CREATE", message(after, "after")); err != nil || !a.sink.TakeKeys()[after] {
				t.Fatalf("after %s with another %s nothing comes: %v", kind, path, err)
			}
			if a.log.Len() > 0 {
				t.Errorf("%s with another %s: %s", kind, path, a.log)
				a.log.Reset()
			}
		})
	}
	t.Logf("%d events", n)
}

// putIDs puts the ids of the test into a sample.
func putIDs(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			putIDs(e)
		}
	case map[string]any:
		for key, value := range v {
			putIDs(value)
			switch key {
			case "channel_id":
				v[key] = "1001"
			case "guild_id":
				v[key] = "1"
			case "user_id":
				v[key] = "200"
			case "id", "message_id":
				if value == "" {
					v[key] = "1000000000000000200"
				}
			}
		}
	}
}

// A session begins whatever READY looks like, and a hello without an interval has the usual one.
func TestMutantReady(t *testing.T) {
	t.Parallel()
	ready := `{"v":10,"user":{"id":"9","username":"bot","bot":true},"session_id":"s","resume_gateway_url":"wss://x.example","guilds":[{"id":"1","unavailable":true}],"application":{"id":"8","flags":0}}`
	recorder.Mutants(t, []byte(ready), func(path string, mutant []byte) {
		a := newAnswered(t)
		if err := a.event("READY", string(mutant)); err != nil || a.sink.Reached != transports.Online {
			t.Errorf("another %s: %v, %v", path, err, a.sink.Reached)
		}
	})
}

// Any value of an answer may have another type: the elements beside it are there, and what was asked for is done.
func TestMutantAnswers(t *testing.T) {
	t.Parallel()
	one := func(id int) string {
		return fmt.Sprintf(`{"id":"100%d","type":0,"name":"n","guild_id":"1","position":1,"permission_overwrites":[{"id":"1","type":0,"allow":"0","deny":"0"}],"topic":null,"flags":0}`, id)
	}
	member := func(id int) string {
		return fmt.Sprintf(`{"nick":null,"user":{"id":"20%d","username":"u","avatar":"a","public_flags":0},"joined_at":"2026-01-01T00:00:00+00:00","roles":["1"]}`, id)
	}
	own := `{"id":"1000000000000000200","channel_id":"1001","type":0,"content":"old","author":{"id":"9","username":"bot","bot":true,"public_flags":0},"edited_timestamp":null,"mentions":[],"embeds":[]}`
	ref := transports.MessageRef{Room: "1001", ID: mutated}
	for route, c := range map[string]struct {
		answer string
		ask    func(a *answered) (n int, err error)
		want   int      // of three, where one of them is mutated
		vital  []string // values that cannot be done without
	}{
		"GET /guilds/1/channels": {"[" + one(1) + "," + one(2) + "," + one(3) + "]", func(a *answered) (n int, err error) {
			return n, a.Rooms(context.Background(), func(rooms []transports.RoomInfo) error { n += len(rooms); return nil })
		}, 2, nil},
		"GET /guilds/1/members": {"[" + member(1) + "," + member(2) + "," + member(3) + "]", func(a *answered) (n int, err error) {
			return n, a.Contacts(context.Background(), func(people []transports.UserInfo) error { n += len(people); return nil })
		}, 2, nil},
		"GET /guilds/1": {guildCreate, func(a *answered) (int, error) {
			_, err := a.Spaces(context.Background())
			return 0, err
		}, 0, nil},
		"GET /channels/1001/messages/" + mutated: {own, func(a *answered) (int, error) {
			_, err := a.Edit(context.Background(), ref, say("1001", "new", "1"))
			return 0, err
		}, 0, nil},
		"GET /channels/1001/webhooks": {`[{"id":"77","token":"t","application_id":"8","user":{"id":"9","public_flags":0}}]`, func(a *answered) (int, error) {
			m := say("1001", "new", "1")
			m.Author = &transports.Author{Name: "Juliet"}
			_, err := a.Send(context.Background(), m)
			return 0, err
		}, 0, []string{"[0].id", "[0].token"}},
		"POST /channels/1001/messages": {own, func(a *answered) (int, error) {
			_, err := a.Send(context.Background(), say("1001", "new", "1"))
			return 0, err
		}, 0, []string{"", "id"}},
		"GET /users/201": {`{"id":"201","username":"u","global_name":"U","avatar":"a","public_flags":0}`, func(a *answered) (int, error) {
			_, err := a.Profile(context.Background(), "201")
			return 0, err
		}, 0, nil},
	} {
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			recorder.Mutants(t, []byte(c.answer), func(path string, mutant []byte) {
				a := newAnswered(t)
				maps.Copy(a.answers, fixedAnswers{
					"GET /users/@me/guilds": `[{"id":"1"}]`, "GET /guilds/1": guildCreate, "GET /guilds/1/threads/active": `{"threads":[]}`,
					"PATCH /channels/1001/messages/" + mutated: own, "POST /channels/1001/webhooks": `{"id":"77","token":"t","application_id":"8"}`,
					"POST /webhooks/77/t": own, "PATCH /webhooks/77/t/messages/" + mutated: own, route: string(mutant),
				})
				n, err := c.ask(a)
				if err != nil && !slices.Contains(c.vital, path) {
					t.Errorf("another %q: %v\n%s", path, err, mutant)
				}
				if path != "" && n < c.want {
					t.Errorf("another %q leaves %d: %s", path, n, mutant)
				}
			})
		})
	}
}
