package conformance

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// Checker reports what a fake server or its client does that Discord does not know.
type Checker struct {
	t testing.TB
	d *descriptions
}

// New reads the descriptions. What is wrong fails the test.
func New(t testing.TB) *Checker {
	t.Helper()
	d, err := load()
	if err != nil {
		t.Fatalf("descriptions of Discord: %v", err)
	}
	return &Checker{t, d}
}

// REST checks a request and its answer.
func (c *Checker) REST(x fake.Exchange) {
	for _, err := range c.d.exchange(x) {
		c.t.Errorf("Discord: %s %s, answered %d: %v\nrequest: %s\nanswer: %s", x.Method, x.Path, x.Status, err, short(x.Body), short(x.Answer))
	}
}

// Gateway checks one payload.
func (c *Checker) Gateway(f fake.Frame) {
	if err := c.d.frame(f); err != nil {
		from := "fake server"
		if f.FromClient {
			from = "client"
		}
		c.t.Errorf("Discord gateway, from the %s: %v\n%s", from, err, short(f.Data))
	}
}

func short(b []byte) string {
	if len(b) > 4000 {
		return string(b[:4000]) + " …"
	}
	return string(b)
}

func unescape(segment string) string {
	if text, err := url.PathUnescape(segment); err == nil {
		return text
	}
	return segment
}

// exchange lists what is wrong with a request and its answer.
func (d *descriptions) exchange(x fake.Exchange) []error {
	operation, pointer := d.operation(x.Method, x.Path)
	switch {
	case operation == nil:
		return []error{fmt.Errorf("no such operation in openapi.json")}
	case !x.Known:
		return []error{fmt.Errorf("the fake server has no such route")}
	}
	var wrong []error
	report := func(what string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", what, err))
		}
	}
	if x.Status != 400 { // what Discord refuses as malformed need not be well formed
		report("request", d.request(operation, pointer, x))
		report("query", d.query(operation, pointer, x.Query))
	}
	report("answer", d.answer(operation, pointer, x))
	report("headers", headers(x))
	return wrong
}

// request checks the JSON of a request.
func (d *descriptions) request(operation map[string]any, pointer []string, x fake.Exchange) error {
	described, _ := operation["requestBody"].(map[string]any)
	if described == nil {
		if len(x.Body) > 0 && string(x.Body) != "{}" && string(x.Body) != "null" {
			return fmt.Errorf("a body where none belongs")
		}
		return nil
	}
	if x.Body == nil {
		if described["required"] == true && x.Status < 300 {
			return fmt.Errorf("no body")
		}
		return nil
	}
	return d.check(apiURL, append(slices.Clone(pointer), "requestBody", "content", "application/json", "schema"), trimmed(x.Method+" "+pointer[1], x.Body))
}

// query checks the parameters after the question mark.
func (d *descriptions) query(operation map[string]any, pointer []string, q url.Values) error {
	known := map[string][]string{}
	parameters, _ := operation["parameters"].([]any)
	for i, p := range parameters {
		b := p.(map[string]any)
		if b["in"] == "query" {
			known[b["name"].(string)] = append(slices.Clone(pointer), "parameters", strconv.Itoa(i), "schema")
		}
	}
	for name, values := range q {
		at, ok := known[name]
		if !ok {
			return fmt.Errorf("unknown parameter %q", name)
		}
		text, err := json.Marshal(values[0])
		if err != nil {
			return err
		}
		// A query has no types: it is right as a text, or as what the text spells.
		if d.check(apiURL, at, text) == nil {
			continue
		}
		if err := d.check(apiURL, at, []byte(values[0])); err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return nil
}

// answer checks the status and the JSON of an answer.
func (d *descriptions) answer(operation map[string]any, pointer []string, x fake.Exchange) error {
	if x.Status >= 500 {
		if !x.Injected {
			return fmt.Errorf("the fake server broke")
		}
		return nil // codes.json, HTTP Response Codes: 5xx; what it looks like is nowhere said
	}
	responses, _ := operation["responses"].(map[string]any)
	status := strconv.Itoa(x.Status)
	if x.Status >= 400 && x.Status != 429 {
		status = "4XX"
	}
	response, ok := responses[status].(map[string]any)
	if !ok {
		return fmt.Errorf("status %d is not described", x.Status)
	}
	at := append(slices.Clone(pointer), "responses", status)
	if ref, ok := response["$ref"].(string); ok {
		at = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	} else if _, ok := response["content"]; !ok {
		if len(x.Answer) > 0 {
			return fmt.Errorf("a body where none belongs")
		}
		return nil
	}
	if err := d.check(apiURL, append(at, "content", "application/json", "schema"), x.Answer); err != nil {
		return err
	}
	if x.Status >= 400 {
		return d.code(x.Answer)
	}
	return nil
}

// code checks that an error code is one of Discord's.
func (d *descriptions) code(answer []byte) error {
	var e struct {
		Code int `json:"code"`
	}
	if err := json.Unmarshal(answer, &e); err != nil {
		return err
	}
	if !d.codes[e.Code] {
		return fmt.Errorf("code %d is in no list of Discord", e.Code)
	}
	return nil
}

// headers checks what every 429 has. (topics/rate-limits.mdx)
func headers(x fake.Exchange) error {
	if x.Status != 429 {
		return nil
	}
	if _, err := strconv.Atoi(x.Header.Get("Retry-After")); err != nil {
		return fmt.Errorf("429 without Retry-After")
	}
	if !slices.Contains([]string{"user", "global", "shared"}, x.Header.Get("X-RateLimit-Scope")) {
		return fmt.Errorf("429 without X-RateLimit-Scope")
	}
	return nil
}
