package conformance

import (
	"errors"
	"fmt"
	"slices"
)

// response checks an answer.
func (c *Checker) response(method string, payload any) error {
	body, ok := payload.(map[string]any)
	if !ok {
		return fmt.Errorf("an answer of type %T", payload)
	}
	v, err := plain(body)
	if err != nil {
		return err
	}
	good, isBool := body["ok"].(bool)
	if !isBool {
		return errors.New("an answer without ok")
	}
	if !good {
		code, _ := body["error"].(string)
		if code == "unknown_method" {
			return errors.New("a method that the fake server has not")
		}
		if !c.knownError(method, code) {
			return fmt.Errorf("error code %q is in no official list", code)
		}
	} else if err := c.complete(method, body); err != nil {
		return err
	}
	v = withoutNulls(v)
	for key := range c.tolerated.Responses[method] {
		delete(v.(map[string]any), key)
	}
	if v, err = c.richText(v); err != nil {
		return err
	}
	pointer := "/responses/" + method
	if lookup(c.schema, pointer) != nil {
		return c.validate("slack.schema.json", pointer, v)
	}
	recent := c.recent[method]
	if recent == nil {
		return errors.New("no published method")
	}
	return c.keys(v, c.nodes(recent.Output), recent.Recorded, "")
}

func (c *Checker) knownError(method, code string) bool {
	if code == "" {
		return false
	}
	if c.tolerated.Errors["*"][code] != "" || c.tolerated.Errors[method][code] != "" {
		return true
	}
	if m := c.old[method]; m != nil && slices.Contains(m.Errors, code) {
		return true
	}
	m := c.recent[method]
	return m != nil && slices.Contains(m.Errors, code)
}

// complete checks that a good answer has the keys that it must have.
func (c *Checker) complete(method string, body map[string]any) error {
	missing := func(list []any) string {
		for _, k := range list {
			name, _ := k.(string)
			if _, ok := body[name]; !ok {
				return name
			}
		}
		return ""
	}
	if m := c.recent[method]; m != nil && c.old[method] == nil {
		for _, k := range m.RequiredInOK {
			if _, ok := body[k]; !ok {
				return fmt.Errorf("a good answer without %s", k)
			}
		}
	}
	m := c.old[method]
	if m == nil {
		return nil
	}
	list, _ := m.RequiredInOK.([]any)
	if len(list) == 0 {
		return nil
	}
	if _, alternatives := list[0].([]any); !alternatives {
		if k := missing(list); k != "" {
			return fmt.Errorf("a good answer without %s", k)
		}
		return nil
	}
	for _, a := range list {
		if one, _ := a.([]any); missing(one) == "" {
			return nil
		}
	}
	return errors.New("a good answer that has none of the sets of keys it must have")
}

// withoutNulls leaves out members that are null: the published types know absence only.
func withoutNulls(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, y := range x {
			if y != nil {
				out[k] = withoutNulls(y)
			}
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, y := range x {
			out[i] = withoutNulls(y)
		}
		return out
	}
	return v
}

// richText checks the rich_text blocks in an answer against the type that @slack/types has for
// them, and takes them out: the types of answers know of lists only what is inside.
func (c *Checker) richText(v any) (any, error) {
	switch x := v.(type) {
	case map[string]any:
		for k, y := range x {
			list, isList := y.([]any)
			if k == "blocks" && isList {
				list = slices.Clone(list)
				for _, b := range list {
					if m, ok := b.(map[string]any); ok && m["type"] == "rich_text" {
						if err := c.richTextBlock(m); err != nil {
							return nil, err
						}
					}
				}
				y = slices.DeleteFunc(list, func(b any) bool {
					m, ok := b.(map[string]any)
					return ok && m["type"] == "rich_text"
				})
			}
			z, err := c.richText(y)
			if err != nil {
				return nil, err
			}
			x[k] = z
		}
	case []any:
		for i, y := range x {
			z, err := c.richText(y)
			if err != nil {
				return nil, err
			}
			x[i] = z
		}
	}
	return v, nil
}

func (c *Checker) richTextBlock(b map[string]any) error {
	if err := c.validate("slack.schema.json", richTextPointer, b); err != nil {
		return err
	}
	return c.keys(b, c.nodes(lookup(c.schema, richTextPointer)), nil, "rich_text")
}

const richTextPointer = "/$defs/RichTextBlock_74cfb5"
