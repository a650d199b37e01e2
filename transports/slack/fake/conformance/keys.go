package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// keys looks for invented keys: every key must be in one of the schemas, or among the
// recorded paths, where paths of list elements end in []. A part that neither describes any
// further is free.
func (c *Checker) keys(v any, nodes []map[string]any, paths map[string]string, path string) error {
	switch x := v.(type) {
	case []any:
		var items []map[string]any
		for _, n := range nodes {
			items = append(items, c.nodes(n["items"])...)
		}
		for _, y := range x {
			if err := c.keys(y, items, paths, path+"[]"); err != nil {
				return err
			}
		}
	case map[string]any:
		if x["type"] == "rich_text" && strings.HasSuffix(path, "blocks[]") {
			nodes = c.nodes(lookup(c.schema, richTextPointer))
		}
		if free(nodes) && !deeper(paths, path) {
			return nil
		}
		for k, y := range x {
			at := strings.TrimPrefix(path+"."+k, ".")
			if at == "event.event_ts" {
				continue // the schema around events demands it of all
			}
			below := c.children(nodes, k)
			for _, n := range nodes {
				if named, ok := n["additionalProperties"].(map[string]any); ok {
					below = append(below, c.nodes(named)...)
				}
			}
			if isMessage(at) {
				below = append(below, c.nodes(lookup(c.schema, answerMessage))...)
			}
			want, recorded := paths[at]
			if len(below) == 0 && !recorded {
				return fmt.Errorf("a key that nothing published knows: %s", at)
			}
			if len(below) == 0 && y != nil && !sameType(typeOf(y), want) {
				return fmt.Errorf("%s is a %s and was recorded as a %s", at, typeOf(y), want)
			}
			if err := c.keys(y, below, paths, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// isMessage reports whether a whole message is at a path of an event.
func isMessage(at string) bool {
	return slices.Contains([]string{"event.message", "event.previous_message", "event.root", "event.item.message"}, at)
}

// free reports whether none of the schemas names any key.
func free(nodes []map[string]any) bool {
	return !slices.ContainsFunc(nodes, func(n map[string]any) bool { return n["properties"] != nil || n["additionalProperties"] != nil })
}

// deeper reports whether anything was recorded below a path.
func deeper(paths map[string]string, path string) bool {
	if path == "" {
		return len(paths) > 0
	}
	for p := range paths {
		if strings.HasPrefix(p, path+".") || strings.HasPrefix(p, path+"[]") {
			return true
		}
	}
	return false
}

// typeOf is the name of a JSON value's type, as the recorded shapes have it.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number, float64, int, int64:
		return "number"
	}
	return fmt.Sprintf("%T", v)
}

func sameType(got, want string) bool {
	return got == want || got == "boolean" && want == "bool"
}
