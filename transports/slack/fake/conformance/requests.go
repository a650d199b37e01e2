package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// request checks the arguments of a call.
func (c *Checker) request(method string, payload any) error {
	pointer := "/requests/" + method
	recent := c.recent[method]
	published := lookup(c.schema, pointer) != nil
	if !published && recent == nil {
		return errors.New("no published method")
	}
	nodes := c.nodes(lookup(c.schema, pointer))
	args, err := arguments(payload, func(key string) map[string]bool { return c.types(nodes, key) })
	if err != nil {
		return err
	}
	delete(args, "token") // in the header or not: the same
	for key := range args {
		_, isArg := recent.arg(key)
		if c.tolerated.Requests[method][key] != "" || isArg && len(c.types(nodes, key)) == 0 {
			delete(args, key) // published in the documentation, not in the types
		} else if !published {
			return fmt.Errorf("no published argument: %s", key)
		}
	}
	if !published {
		return nil
	}
	v, err := plain(args)
	if err != nil {
		return err
	}
	return c.validate("slack.schema.json", pointer, v)
}

func (m *recentMethod) arg(key string) (string, bool) {
	if m == nil {
		return "", false
	}
	t, ok := m.Args[key]
	return t, ok
}

// arguments are the arguments with their types, which a form does not carry.
func arguments(payload any, types func(string) map[string]bool) (map[string]any, error) {
	out := map[string]any{}
	switch p := payload.(type) {
	case map[string]any:
		for k, v := range p {
			out[k] = v
		}
	case url.Values:
		for k, list := range p {
			if len(list) != 1 {
				return nil, fmt.Errorf("argument %s is given %d times", k, len(list))
			}
			out[k] = typed(list[0], types(k))
		}
	default:
		return nil, fmt.Errorf("arguments of type %T", payload)
	}
	return out, nil
}

func typed(v string, types map[string]bool) any {
	if types["boolean"] {
		switch v {
		case "true", "1":
			return true
		case "false", "0":
			return false
		}
	}
	if types["number"] || types["integer"] {
		var n json.Number
		if json.Unmarshal([]byte(v), &n) == nil {
			return n
		}
	}
	if (types["array"] || types["object"]) && (strings.HasPrefix(v, "[") || strings.HasPrefix(v, "{")) {
		var x any
		if json.Unmarshal([]byte(v), &x) == nil {
			return x
		}
	}
	return v
}

// types are the types that a key may have in any of the schemas.
func (c *Checker) types(nodes []map[string]any, key string) map[string]bool {
	out := map[string]bool{}
	for _, n := range c.children(nodes, key) {
		switch t := n["type"].(type) {
		case string:
			out[t] = true
		case []any:
			for _, x := range t {
				if s, ok := x.(string); ok {
					out[s] = true
				}
			}
		}
		values, _ := n["enum"].([]any)
		if v, ok := n["const"]; ok {
			values = append(values, v)
		}
		for _, v := range values {
			out[typeOf(v)] = true
		}
	}
	return out
}

// nodes are the schemas that a schema is made of, with references and alternatives resolved.
func (c *Checker) nodes(schema any) []map[string]any {
	m, ok := schema.(map[string]any)
	if !ok {
		return nil
	}
	if ref, ok := m["$ref"].(string); ok {
		return c.nodes(lookup(c.schema, strings.TrimPrefix(ref, "#")))
	}
	out := []map[string]any{m}
	for _, k := range []string{"anyOf", "allOf", "oneOf"} {
		list, _ := m[k].([]any)
		for _, x := range list {
			out = append(out, c.nodes(x)...)
		}
	}
	return out
}

// children are the schemas of a key in any of the schemas.
func (c *Checker) children(nodes []map[string]any, key string) []map[string]any {
	var out []map[string]any
	for _, n := range nodes {
		props, _ := n["properties"].(map[string]any)
		if p, ok := props[key]; ok {
			out = append(out, c.nodes(p)...)
		}
	}
	return out
}
