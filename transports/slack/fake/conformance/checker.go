package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// Checker checks payloads. It may be used from many goroutines.
type Checker struct {
	schema    any // slack.schema.json, patched
	old       map[string]*oldMethod
	recent    map[string]*recentMethod
	shapes    map[string]*shape
	wrapper   map[string]string // keys around an event, with their types
	tolerated tolerated

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

// oldMethod is a method in web-api-2021.json.
type oldMethod struct {
	Errors       []string `json:"errors"`
	RequiredInOK any      `json:"required_in_ok"` // a list, or a list of alternatives
}

// recentMethod is a method in web-api-2026.json.
type recentMethod struct {
	Args         map[string]string `json:"args"`
	Errors       []string          `json:"errors"`
	RequiredArgs []string          `json:"required_args"`
	RequiredInOK []string          `json:"required_in_ok"`
	Output       any               `json:"output"`
	Recorded     map[string]string `json:"recorded"`
}

// shape is an event in event-shapes.json.
type shape struct {
	Paths    map[string]string `json:"paths"`
	Recorded bool              `json:"recorded"`
}

// tolerated is tolerated.json. Every value that is a text is the source.
type tolerated struct {
	Errors    map[string]map[string]string `json:"errors"`
	Requests  map[string]map[string]string `json:"requests"`
	Responses map[string]map[string]string `json:"responses"`
	Events    map[string]map[string]string `json:"events"`
	Unlisted  map[string]string            `json:"unlisted_events"`
	Empty     map[string]map[string]string `json:"empty_lists"` // keys of events that may be [] instead
	Patches   []struct {
		Pointer string `json:"pointer"`
		Value   any    `json:"value"`
		Source  string `json:"source"`
	} `json:"patches"`
	Rules []struct {
		Rule   string `json:"rule"`
		Source string `json:"source"`
	} `json:"rules"`
}

var shared = sync.OnceValues(func() (*Checker, error) {
	dir, err := descriptions()
	if err != nil {
		return nil, err
	}
	return load(dir)
})

// Hook is for fake.Options.Check: it fails the test at every payload that is not as Slack's
// descriptions say. The server must be closed before the test ends.
func Hook(tb testing.TB) func(kind, name string, payload any) error {
	tb.Helper()
	c, err := shared()
	if err != nil {
		tb.Fatalf("load Slack's descriptions: %v", err)
	}
	return func(kind, name string, payload any) error {
		err := c.Check(kind, name, payload)
		if err != nil {
			b, _ := json.Marshal(payload)
			tb.Errorf("not as Slack says: %s %s: %v\n%s", kind, name, err, b)
		}
		return err
	}
}

// New is the checker that all tests of a binary share.
func New() (*Checker, error) { return shared() }

// descriptions is the folder of the descriptions, found from the module's root upwards of the
// working directory, which in tests is the package's.
func descriptions() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if b, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(b), "module github.com/dragoman-im/dragoman\n") {
			return filepath.Join(dir, "integration", "testdata", "slack"), nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("the module's root is not above the working directory")
		}
		dir = up
	}
}

func load(dir string) (*Checker, error) {
	c := &Checker{compiled: map[string]*jsonschema.Schema{}, wrapper: map[string]string{}}
	var shapes struct {
		Events map[string]*shape `json:"events"`
	}
	for name, into := range map[string]any{
		"web-api-2021.json": &c.old, "web-api-2026.json": &c.recent, "event-shapes.json": &shapes, "tolerated.json": &c.tolerated,
	} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(b, into); err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
	}
	c.shapes = shapes.Events
	for _, s := range c.shapes {
		for p, t := range s.Paths {
			if p != "." && !strings.ContainsAny(p, ".[") {
				c.wrapper[p] = t
			}
		}
	}
	c.compiler = jsonschema.NewCompiler()
	c.compiler.DefaultDraft(jsonschema.Draft7)
	for _, name := range []string{"slack.schema.json", "event-wrapper.schema.json"} {
		doc, err := readJSON(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if name == "slack.schema.json" {
			if err := c.patch(doc); err != nil {
				return nil, err
			}
			c.schema = doc
		}
		if err := c.compiler.AddResource(name, doc); err != nil {
			return nil, fmt.Errorf("add %s: %w", name, err)
		}
	}
	return c, nil
}

func readJSON(path string) (any, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return jsonschema.UnmarshalJSON(f)
}

// patch makes the tolerated changes to the schema.
func (c *Checker) patch(doc any) error {
	for _, p := range c.tolerated.Patches {
		at := p.Pointer[:strings.LastIndex(p.Pointer, "/")]
		in, ok := lookup(doc, at).(map[string]any)
		if !ok {
			return fmt.Errorf("tolerated.json: nothing at %s", at)
		}
		in[unpointer(p.Pointer[len(at)+1:])] = p.Value
	}
	return nil
}

func unpointer(s string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(s) }

// lookup is what a JSON pointer points to, through references, or nil.
func lookup(doc any, pointer string) any {
	at := doc
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		if ref, ok := m["$ref"].(string); ok {
			m, _ = lookup(doc, strings.TrimPrefix(ref, "#")).(map[string]any)
		}
		at = m[unpointer(part)]
	}
	return at
}

// validate checks v against the schema at a pointer in a file.
func (c *Checker) validate(file, pointer string, v any) error {
	c.mu.Lock()
	s := c.compiled[file+pointer]
	if s == nil {
		var err error
		if s, err = c.compiler.Compile(file + "#" + pointer); err != nil {
			c.mu.Unlock()
			return fmt.Errorf("compile %s: %w", pointer, err)
		}
		c.compiled[file+pointer] = s
	}
	c.mu.Unlock()
	return s.Validate(v)
}

// plain is v as JSON alone would bring it.
func plain(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
}

// Check checks one payload; kind and name are as fake.Options.Check has them.
func (c *Checker) Check(kind, name string, payload any) error {
	switch kind {
	case fake.KindRequest:
		return c.request(name, payload)
	case fake.KindResponse:
		return c.response(name, payload)
	case fake.KindEvent:
		return c.event(name, payload)
	case fake.KindFrame:
		return c.frame(name, payload)
	case fake.KindAck:
		return c.ack(payload)
	}
	return fmt.Errorf("a kind of payload that nobody knows: %s", kind)
}
