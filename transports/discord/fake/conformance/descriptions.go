package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// descriptions are the files, ready to be asked.
type descriptions struct {
	paths map[string]any // of openapi.json
	codes map[int]bool   // JSON error codes
	close map[int]bool   // close codes of the gateway

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

// The names under which the files are known to the compiler.
const (
	apiURL     = "https://discord.test/openapi.json"
	gatewayURL = "https://discord.test/gateway.schema.json"
)

// load reads the files once for the whole process; the result is not changed afterwards.
var load = sync.OnceValues(func() (*descriptions, error) {
	dir, err := directory()
	if err != nil {
		return nil, err
	}
	var api, gateway map[string]any
	var codes map[string][]map[string]string
	for name, into := range map[string]any{"openapi.json": &api, "gateway.schema.json": &gateway, "codes.json": &codes} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("read Discord's description: %w", err)
		}
		if err := json.Unmarshal(data, into); err != nil {
			return nil, fmt.Errorf("read Discord's description %s: %w", name, err)
		}
	}
	tolerate(api, gateway)
	d := &descriptions{compiled: map[string]*jsonschema.Schema{}}
	d.paths, _ = api["paths"].(map[string]any)
	d.codes = numbers(codes["JSON Error Codes"])
	d.close = numbers(codes["Gateway Close Event Codes"])
	d.compiler = jsonschema.NewCompiler()
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	for url, doc := range map[string]map[string]any{apiURL: api, gatewayURL: modern(gateway)} {
		if err := d.compiler.AddResource(url, shut(doc)); err != nil {
			return nil, fmt.Errorf("add %s: %w", url, err)
		}
	}
	return d, nil
})

// directory finds the files from wherever a test runs: the module's root is above.
func directory() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "integration", "testdata", "discord"), nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = up
	}
}

func numbers(rows []map[string]string) map[int]bool {
	out := map[int]bool{}
	for _, r := range rows {
		if n, err := strconv.Atoi(r["code"]); err == nil {
			out[n] = true
		}
	}
	return out
}

// modern turns what draft 7 says differently into draft 2020-12, which both files share:
// tuples.
func modern(doc map[string]any) map[string]any {
	delete(doc, "$schema")
	visit(doc, func(node map[string]any) {
		if tuple, ok := node["items"].([]any); ok {
			node["prefixItems"] = tuple
			delete(node, "items")
		}
	})
	return doc
}

// shut makes unknown keys errors: an object with properties has no others. What is part
// of an allOf is left open, and the whole is shut.
func shut(doc map[string]any) map[string]any {
	open := map[string]bool{} // by identity of the schema's map
	visit(doc, func(node map[string]any) {
		all, ok := node["allOf"].([]any)
		if !ok {
			return
		}
		for i, part := range all {
			b, _ := part.(map[string]any)
			if ref, ok := b["$ref"].(string); ok {
				if copied := opened(doc, ref); copied != "" {
					all[i] = map[string]any{"$ref": copied}
				}
			} else {
				open[fmt.Sprintf("%p", b)] = true
			}
		}
		node["unevaluatedProperties"] = false
	})
	visit(doc, func(node map[string]any) {
		_, has := node["properties"].(map[string]any)
		_, decided := node["additionalProperties"]
		_, kept := node["x-open"]
		if has && !decided && !kept && !open[fmt.Sprintf("%p", node)] {
			node["unevaluatedProperties"] = false
		}
	})
	return doc
}

// opened makes a copy of an object's schema that stays open, for use in an allOf, and
// returns its reference; "" for what is no object.
func opened(doc map[string]any, ref string) string {
	name, ok := strings.CutPrefix(ref, "#/components/schemas/")
	if !ok || strings.HasSuffix(name, ".open") {
		return ""
	}
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	original, _ := schemas[name].(map[string]any)
	if _, ok := original["properties"]; !ok {
		return ""
	}
	copied := map[string]any{"x-open": true}
	for k, v := range original {
		copied[k] = v
	}
	schemas[name+".open"] = copied
	return "#/components/schemas/" + name + ".open"
}

// visit calls f for every object of a document.
func visit(node any, f func(map[string]any)) {
	switch n := node.(type) {
	case map[string]any:
		f(n)
		for _, v := range n {
			visit(v, f)
		}
	case []any:
		for _, v := range n {
			visit(v, f)
		}
	}
}

// check compares a value with the schema at a pointer into one of the files.
func (d *descriptions) check(file string, pointer []string, data []byte) error {
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("no JSON: %w", err)
	}
	schema, err := d.schema(file + "#" + join(pointer))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func (d *descriptions) schema(at string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.compiled[at]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(at)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", at, err)
	}
	d.compiled[at] = s
	return s, nil
}

// join makes a JSON pointer for use in a URL. (RFC 6901 §6)
func join(pointer []string) string {
	var b strings.Builder
	for _, p := range pointer {
		p = strings.NewReplacer("~", "~0", "/", "~1").Replace(p)
		p = strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D").Replace(p)
		b.WriteString("/" + p)
	}
	return b.String()
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// operation finds a method and a path among those that Discord describes, the most
// literal one, and its pointer.
func (d *descriptions) operation(method, path string) (operation map[string]any, pointer []string) {
	method = strings.ToLower(method)
	best := -1
	for template, v := range d.paths {
		if literal := len(parameter.ReplaceAllString(template, "")); literal > best && matches(template, path) {
			if op, ok := v.(map[string]any)[method].(map[string]any); ok {
				best, operation, pointer = literal, op, []string{"paths", template, method}
			}
		}
	}
	return operation, pointer
}

func matches(template, path string) bool {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != have[i] && !strings.HasPrefix(want[i], "{") && want[i] != unescape(have[i]) {
			return false
		}
	}
	return true
}
