package conformance

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

func describe(t *testing.T) *descriptions {
	t.Helper()
	d, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const user = `{"id":"1","username":"ann","avatar":null,"discriminator":"0","public_flags":0,"flags":0,"global_name":null,"primary_guild":null}`

func TestExchanges(t *testing.T) {
	t.Parallel()
	d := describe(t)
	get := func(path string, status int, answer string) fake.Exchange {
		return fake.Exchange{Method: "GET", Path: path, Known: true, Status: status, Answer: []byte(answer)}
	}
	post := func(body string) fake.Exchange {
		return fake.Exchange{Method: "POST", Path: "/channels/1/typing", Known: true, Status: 204, Body: []byte(body)}
	}
	limited := get("/users/1", 429, `{"message":"x","code":0,"retry_after":0.5,"global":false}`)
	limited.Header = http.Header{"Retry-After": {"1"}, "X-Ratelimit-Scope": {"user"}}
	unannounced := limited
	unannounced.Header = http.Header{}
	broken := get("/users/1", 502, "<html>")
	broken.Injected = true
	unknown := get("/users/1", 404, `{"message":"404: Not Found","code":0}`)
	unknown.Known = false
	odd := get("/users/@me/guilds", 200, `[]`)
	odd.Query = url.Values{"cursor": {"1"}}
	counted := get("/users/@me/guilds", 200, `[]`)
	counted.Query = url.Values{"with_counts": {"true"}, "limit": {"200"}, "after": {"17"}}
	many := get("/users/@me/guilds", 200, `[]`)
	many.Query = url.Values{"limit": {"201"}}
	for name, c := range map[string]struct {
		x    fake.Exchange
		want string // part of the error; "" for none
	}{
		"good":                 {get("/users/1", 200, user), ""},
		"key missing":          {get("/users/1", 200, strings.Replace(user, `"discriminator":"0",`, "", 1)), "discriminator"},
		"key unknown":          {get("/users/1", 200, strings.Replace(user, `{`, `{"nickname":"a",`, 1)), "nickname"},
		"type wrong":           {get("/users/1", 200, strings.Replace(user, `"flags":0`, `"flags":"0"`, 1)), "flags"},
		"inner key unknown":    {get("/channels/1/messages/2/reactions/x", 200, `[`+strings.Replace(user, `{`, `{"odd":1,`, 1)+`]`), "odd"},
		"no snowflake":         {get("/users/1", 200, strings.Replace(user, `"id":"1"`, `"id":"ann"`, 1)), "id"},
		"no such path":         {get("/users/1/friends", 200, `[]`), "no such operation"},
		"no such method":       {fake.Exchange{Method: "PUT", Path: "/users/1", Known: true, Status: 200}, "no such operation"},
		"route not there":      {unknown, "no such route"},
		"status undescribed":   {get("/users/1", 201, user), "not described"},
		"good error":           {get("/users/1", 404, `{"message":"Unknown User","code":10013}`), ""},
		"code unknown":         {get("/users/1", 404, `{"message":"Unknown User","code":99999}`), "in no list"},
		"error without code":   {get("/users/1", 404, `{"message":"Unknown User"}`), "code"},
		"detailed error":       {get("/users/1", 400, `{"message":"x","code":50035,"errors":{"a":{"_errors":[{"code":"WORD","message":"y"}]}}}`), ""},
		"detail out of shape":  {get("/users/1", 400, `{"message":"x","code":50035,"errors":{"a":{"_errors":["y"]}}}`), "errors"},
		"limited":              {limited, ""},
		"limited, no headers":  {unannounced, "Retry-After"},
		"broken as ordered":    {broken, ""},
		"broken by itself":     {get("/users/1", 500, "oops"), "broke"},
		"body after 204":       {fake.Exchange{Method: "POST", Path: "/channels/1/typing", Known: true, Status: 204, Answer: []byte(`{}`)}, "body"},
		"body where none goes": {post(`{"x":1}`), "body"},
		"no body at all":       {post(""), ""},
		"query unknown":        {odd, "cursor"},
		"query":                {counted, ""},
		"query out of range":   {many, "limit"},
	} {
		t.Run(name, func(t *testing.T) { compare(t, d.exchange(c.x), c.want) })
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	d := describe(t)
	for name, c := range map[string]struct{ path, body, want string }{
		"message":            {"/channels/1/messages", `{"content":"x","nonce":"n","enforce_nonce":true,"allowed_mentions":{"parse":[]}}`, ""},
		"key unknown":        {"/channels/1/messages", `{"content":"x","enforceNonce":true}`, "enforceNonce"},
		"inner key unknown":  {"/channels/1/messages", `{"content":"x","allowed_mentions":{"parsed":[]}}`, "parsed"},
		"type wrong":         {"/channels/1/messages", `{"content":5}`, "content"},
		"nonce too long":     {"/channels/1/messages", `{"content":"x","nonce":"` + strings.Repeat("n", 26) + `"}`, "nonce"},
		"webhook":            {"/webhooks/1/abc", `{"content":"x","username":"Ann"}`, ""},
		"webhook with nonce": {"/webhooks/1/abc", `{"content":"x","username":"Ann","nonce":"1"}`, "nonce"},
		"no body":            {"/channels/1/messages", "", "no body"},
	} {
		t.Run(name, func(t *testing.T) {
			x := fake.Exchange{Method: "POST", Path: c.path, Known: true, Status: 204}
			if c.body != "" {
				x.Body = []byte(c.body)
			}
			operation, pointer := d.operation(x.Method, x.Path)
			var wrong []error
			x.Status = 200
			if err := d.request(operation, pointer, x); err != nil {
				wrong = append(wrong, err)
			}
			compare(t, wrong, c.want)
		})
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	d := describe(t)
	event := func(kind string, data any) []byte {
		b, err := json.Marshal(map[string]any{"op": 0, "t": kind, "s": 1, "d": data})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	typing := map[string]any{"channel_id": "1", "user_id": "2", "timestamp": 3}
	odd := maps.Clone(typing)
	odd["typing"] = true
	for name, c := range map[string]struct {
		f    fake.Frame
		want string
	}{
		"event":                  {fake.Frame{Data: event("TYPING_START", typing)}, ""},
		"event unknown":          {fake.Frame{Data: event("TYPING_STOP", typing)}, "TYPING_STOP"},
		"event key unknown":      {fake.Frame{Data: event("TYPING_START", odd)}, "typing"},
		"event key missing":      {fake.Frame{Data: event("TYPING_START", map[string]any{"channel_id": "1"})}, "user_id"},
		"event without sequence": {fake.Frame{Data: []byte(`{"op":0,"t":"TYPING_START","d":{}}`)}, "sequence"},
		"partial update":         {fake.Frame{Partial: true, Data: event("MESSAGE_UPDATE", map[string]any{"id": "1", "channel_id": "2", "embeds": []any{}})}, ""},
		"partial unordered":      {fake.Frame{Data: event("MESSAGE_UPDATE", map[string]any{"id": "1", "channel_id": "2", "embeds": []any{}})}, "author"},
		"update without channel": {fake.Frame{Partial: true, Data: event("MESSAGE_UPDATE", map[string]any{"id": "1"})}, "channel_id"},
		"hello":                  {fake.Frame{Data: []byte(`{"op":10,"s":null,"t":null,"d":{"heartbeat_interval":1}}`)}, ""},
		"hello without interval": {fake.Frame{Data: []byte(`{"op":10,"s":null,"t":null,"d":{}}`)}, "heartbeat_interval"},
		"opcode unknown":         {fake.Frame{Data: []byte(`{"op":12,"s":null,"t":null,"d":{}}`)}, "opcode 12"},
		"close":                  {fake.Frame{Close: 4004}, ""},
		"close unknown":          {fake.Frame{Close: 4099}, "4099"},
		"identify":               {fake.Frame{FromClient: true, Data: []byte(`{"op":2,"d":{"token":"t","intents":1,"properties":{"os":"a","browser":"b","device":"c"}}}`)}, ""},
		"identify old":           {fake.Frame{FromClient: true, Data: []byte(`{"op":2,"d":{"token":"t","intents":1,"properties":{"$os":"a","$browser":"b","$device":"c"},"presence":{"status":"","afk":false,"since":0,"game":{}}}}`)}, ""},
		"identify odd":           {fake.Frame{FromClient: true, Data: []byte(`{"op":2,"d":{"token":"t","intent":1,"properties":{"os":"a","browser":"b","device":"c"}}}`)}, "intent"},
		"client's opcode":        {fake.Frame{FromClient: true, Data: []byte(`{"op":7,"d":null}`)}, "opcode 7"},
		"no payload":             {fake.Frame{FromClient: true, Data: []byte(`hello`)}, "no payload"},
	} {
		t.Run(name, func(t *testing.T) {
			var wrong []error
			if err := d.frame(c.f); err != nil {
				wrong = append(wrong, err)
			}
			compare(t, wrong, c.want)
		})
	}
}

// compare wants no error, or one that names something.
func compare(t *testing.T, got []error, want string) {
	t.Helper()
	if want == "" {
		for _, err := range got {
			t.Errorf("found: %v", err)
		}
		return
	}
	for _, err := range got {
		if strings.Contains(err.Error(), want) {
			return
		}
	}
	t.Errorf("found %v, want something about %q", got, want)
}
