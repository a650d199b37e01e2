package conformance

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

func checker(t *testing.T) *Checker {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// parse is JSON as a payload.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// around is an event in what goes around it.
func around(t *testing.T, event string) map[string]any {
	return parse(t, `{"type":"event_callback","token":"x","team_id":"T1","api_app_id":"A1","event_id":"Ev1","event_time":1,
		"is_ext_shared_channel":false,"event_context":"4-x","authorizations":[{"enterprise_id":null,"team_id":"T1","user_id":"U1",
		"is_bot":true,"is_enterprise_install":false}],"event":`+event+`}`)
}

const sent = `"type":"message","user":"U1","text":"x","ts":"1.000100","channel":"C1","channel_type":"channel","event_ts":"1.000100"`

func TestWhatIsAsSlackSaysPasses(t *testing.T) {
	t.Parallel()
	c := checker(t)
	id := "0b4f6f0a-8b1e-4c0e-a5d7-0123456789ab"
	for _, x := range []struct {
		kind, name string
		payload    any
	}{
		{fake.KindRequest, "conversations.history", url.Values{"token": {"x"}, "channel": {"123"}, "limit": {"15"}, "inclusive": {"0"}}},
		{fake.KindRequest, "chat.postMessage", map[string]any{"channel": "C1", "text": "true"}},
		{fake.KindRequest, "chat.postMessage", url.Values{"channel": {"C1"}, "text": {"17"}, "blocks": {`[{"type":"divider"}]`}}},
		{fake.KindRequest, "files.getUploadURLExternal", url.Values{"filename": {"a"}, "length": {"1"}, "alt_txt": {"x"}}},
		{fake.KindRequest, "auth.revoke", url.Values{"token": {"x"}}},
		{fake.KindResponse, "auth.revoke", parse(t, `{"ok":true,"revoked":true}`)},
		{fake.KindResponse, "chat.delete", parse(t, `{"ok":false,"error":"message_not_found"}`)},
		{fake.KindResponse, "chat.delete", parse(t, `{"ok":false,"error":"missing_scope","needed":"a","provided":"b"}`)},
		{fake.KindEvent, "message", around(t, `{`+sent+`,"blocks":[{"type":"rich_text","block_id":"x","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"x"}]}]}]}`)},
		{fake.KindEvent, "team_rename", around(t, `{"type":"team_rename","name":"x","event_ts":"1.000100"}`)},
		{fake.KindFrame, "disconnect", parse(t, `{"type":"disconnect","reason":"warning","debug_info":{"host":"x"}}`)},
		{fake.KindAck, "ack", parse(t, `{"envelope_id":"`+id+`","payload":{}}`)},
	} {
		if err := c.Check(x.kind, x.name, x.payload); err != nil {
			t.Errorf("%s %s: %v", x.kind, x.name, err)
		}
	}
}

func TestWhatSlackDoesNotSayIsFound(t *testing.T) {
	t.Parallel()
	c := checker(t)
	id := "0b4f6f0a-8b1e-4c0e-a5d7-0123456789ab"
	for what, x := range map[string]struct {
		kind, name string
		payload    any
	}{
		"unknown method asked":    {fake.KindRequest, "chat.teleport", url.Values{}},
		"unknown method answered": {fake.KindResponse, "chat.teleport", parse(t, `{"ok":false,"error":"unknown_method"}`)},
		"unknown argument":        {fake.KindRequest, "auth.revoke", url.Values{"gently": {"1"}}},
		"invented argument":       {fake.KindRequest, "conversations.history", url.Values{"channel": {"C1"}, "newest": {"1"}}},
		"argument twice":          {fake.KindRequest, "conversations.info", url.Values{"channel": {"C1", "C2"}}},
		"argument missing":        {fake.KindRequest, "conversations.info", url.Values{}},
		"argument of other type":  {fake.KindRequest, "conversations.history", map[string]any{"channel": "C1", "limit": "ten"}},
		"no arguments":            {fake.KindRequest, "conversations.info", 7},
		"unknown error":           {fake.KindResponse, "chat.delete", parse(t, `{"ok":false,"error":"too_lazy"}`)},
		"error of other method":   {fake.KindResponse, "chat.delete", parse(t, `{"ok":false,"error":"name_taken"}`)},
		"no error":                {fake.KindResponse, "chat.delete", parse(t, `{"ok":false}`)},
		"no ok":                   {fake.KindResponse, "chat.delete", parse(t, `{}`)},
		"no object":               {fake.KindResponse, "chat.delete", "ok"},
		"answer incomplete":       {fake.KindResponse, "chat.delete", parse(t, `{"ok":true,"channel":"C1"}`)},
		"new answer incomplete":   {fake.KindResponse, "auth.revoke", parse(t, `{"ok":true}`)},
		"invented key":            {fake.KindResponse, "chat.delete", parse(t, `{"ok":true,"channel":"C1","ts":"1.000100","gone":true}`)},
		"invented key, new":       {fake.KindResponse, "auth.revoke", parse(t, `{"ok":true,"revoked":true,"gone":true}`)},
		"invented key, deep":      {fake.KindResponse, "users.info", parse(t, `{"ok":true,"user":{"id":"U1","profile":{"mood":"good"}}}`)},
		"other type":              {fake.KindResponse, "users.info", parse(t, `{"ok":true,"user":{"id":1}}`)},
		"no element":              {fake.KindResponse, "pins.list", parse(t, `{"ok":true}`)},
		"rich text without text":  {fake.KindResponse, "conversations.history", parse(t, `{"ok":true,"has_more":false,"pin_count":0,"channel_actions_ts":null,"channel_actions_count":0,"messages":[{"type":"message","ts":"1.000100","blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text"}]}]}]}]}`)},
		"rich text invented":      {fake.KindResponse, "conversations.history", parse(t, `{"ok":true,"has_more":false,"pin_count":0,"channel_actions_ts":null,"channel_actions_count":0,"messages":[{"type":"message","ts":"1.000100","blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"x","size":3}]}]}]}]}`)},
		"unknown event":           {fake.KindEvent, "moon_phase_changed", around(t, `{"type":"moon_phase_changed","event_ts":"1.000100"}`)},
		"unknown subtype":         {fake.KindEvent, "message/sung", around(t, `{`+sent+`,"subtype":"sung"}`)},
		"event incomplete":        {fake.KindEvent, "reaction_added", around(t, `{"type":"reaction_added","event_ts":"1.000100"}`)},
		"event invented key":      {fake.KindEvent, "message", around(t, `{`+sent+`,"mood":"good"}`)},
		"event invented deep":     {fake.KindEvent, "message/message_changed", around(t, `{"type":"message","subtype":"message_changed","channel":"C1","ts":"1.000100","event_ts":"1.000100","message":{"type":"message","ts":"1.000100","mood":"good"}}`)},
		"stub invented key":       {fake.KindEvent, "message/file_share", around(t, `{`+sent+`,"subtype":"file_share","files":[{"id":"F1","file_access":"check_file_info","mood":"x"}]}`)},
		"no event":                {fake.KindEvent, "message", around(t, `7`)},
		"no event at all":         {fake.KindEvent, "message", 7},
		"invented around":         {fake.KindEvent, "message", with(around(t, `{`+sent+`}`), "mood", "good")},
		"other type around":       {fake.KindEvent, "message", with(around(t, `{`+sent+`}`), "event_time", "now")},
		"nobody authorized":       {fake.KindEvent, "message", with(around(t, `{`+sent+`}`), "authorizations", []any{})},
		"authorization invented":  {fake.KindEvent, "message", with(around(t, `{`+sent+`}`), "authorizations", []any{map[string]any{"user_id": "U1"}})},
		"no frame":                {fake.KindFrame, "goodbye", parse(t, `{"type":"goodbye"}`)},
		"frame incomplete":        {fake.KindFrame, "hello", parse(t, `{"type":"hello"}`)},
		"frame invented":          {fake.KindFrame, "disconnect", parse(t, `{"type":"disconnect","reason":"warning","debug_info":{"host":"x"},"mood":1}`)},
		"frame reason":            {fake.KindFrame, "disconnect", parse(t, `{"type":"disconnect","reason":"tired","debug_info":{"host":"x"}}`)},
		"frame id":                {fake.KindFrame, "slash_commands", parse(t, `{"type":"slash_commands","envelope_id":"1","payload":{},"accepts_response_payload":true}`)},
		"ack id":                  {fake.KindAck, "ack", parse(t, `{"envelope_id":""}`)},
		"ack invented":            {fake.KindAck, "ack", parse(t, `{"envelope_id":"`+id+`","ok":true}`)},
		"ack no object":           {fake.KindAck, "ack", 7},
		"unknown kind":            {"gossip", "", nil},
	} {
		if err := c.Check(x.kind, x.name, x.payload); err == nil {
			t.Errorf("%s: passes", what)
		}
	}
}

func with(m map[string]any, key string, v any) map[string]any {
	m[key] = v
	return m
}

// TestSlacksOwnExamplesPass shows that the checks are not stricter than Slack.
func TestSlacksOwnExamplesPass(t *testing.T) {
	t.Parallel()
	c := checker(t)
	dir, err := descriptions()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "web-api-2021.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]*struct {
		OK  map[string]any `json:"example_ok"`
		Bad map[string]any `json:"example_error"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, m := range all {
		if m == nil {
			continue
		}
		for _, body := range []map[string]any{m.OK, m.Bad} {
			if body == nil || unsound[name] && body["ok"] == true {
				continue
			}
			n++
			if err := c.Check(fake.KindResponse, name, body); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if n < 85 {
		t.Errorf("only %d examples", n)
	}
}

// unsound are methods whose example contradicts the same file's list of required keys, or is
// of a file item that nothing describes.
var unsound = map[string]bool{
	"conversations.history": true, "conversations.setPurpose": true, "conversations.setTopic": true,
	"files.sharedPublicURL": true, "reactions.list": true, "users.profile.set": true,
}

func TestEverythingToleratedHasASource(t *testing.T) {
	t.Parallel()
	c := checker(t)
	named := func(what, source string) {
		if len(source) < 20 || !strings.ContainsAny(source, "./") {
			t.Errorf("%s is tolerated without a source: %q", what, source)
		}
	}
	for _, group := range []map[string]map[string]string{c.tolerated.Errors, c.tolerated.Requests, c.tolerated.Responses, c.tolerated.Events, c.tolerated.Empty} {
		for name, list := range group {
			for key, source := range list {
				named(name+" "+key, source)
			}
		}
	}
	for name, source := range c.tolerated.Unlisted {
		named(name, source)
	}
	for _, p := range c.tolerated.Patches {
		named(p.Pointer, p.Source)
	}
	for _, r := range c.tolerated.Rules {
		named(r.Rule, r.Source)
	}
}
