package conformance

import (
	"errors"
	"fmt"
	"strings"
)

// answerMessage is the most complete published description of a message.
const answerMessage = "/responses/conversations.history/properties/messages/items"

// answerFile is the same of a file.
const answerFile = "/responses/files.info/properties/file"

// event checks an event and what is around it.
func (c *Checker) event(name string, payload any) error {
	v, err := plain(payload)
	if err != nil {
		return err
	}
	outer, ok := v.(map[string]any)
	if !ok {
		return errors.New("an event that is no object")
	}
	if err := c.around(outer); err != nil {
		return err
	}
	inner, ok := outer["event"].(map[string]any)
	if !ok {
		return errors.New("no event in the event")
	}
	pointer := "/events/" + strings.ReplaceAll(name, "/", "~1")
	published := lookup(c.schema, pointer) != nil
	shape := c.shapes[name]
	if !published && shape == nil && c.tolerated.Unlisted[name] == "" {
		return errors.New("an event that nothing published knows")
	}
	for key := range c.tolerated.Empty[name] {
		if list, ok := inner[key].([]any); ok && len(list) == 0 {
			delete(inner, key)
		}
	}
	if err := c.stubs(inner); err != nil {
		return err
	}
	if published {
		if err := c.validate("slack.schema.json", pointer, inner); err != nil {
			return err
		}
	}
	nodes := c.nodes(lookup(c.schema, pointer))
	if strings.HasPrefix(name, "message") {
		nodes = append(nodes, c.nodes(lookup(c.schema, "/events/message"))...)
		nodes = append(nodes, c.nodes(lookup(c.schema, answerMessage))...)
	}
	if strings.HasPrefix(name, "user_") {
		nodes = append(nodes, c.nodes(lookup(c.schema, "/events/user_change"))...)
	}
	var paths map[string]string
	if shape != nil {
		paths = shape.Paths
	}
	for path := range c.tolerated.Events[name] {
		drop(inner, path)
	}
	return c.keys(inner, nodes, paths, "event")
}

// drop takes the key at a path of names out.
func drop(m map[string]any, path string) {
	head, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		delete(m, head)
		return
	}
	if in, ok := m[head].(map[string]any); ok {
		drop(in, rest)
	}
}

// around checks what is around an event.
func (c *Checker) around(outer map[string]any) error {
	with := map[string]any{"authed_users": []any{}} // since replaced by authorizations
	for k, v := range outer {
		with[k] = v
		want, known := c.wrapper[k]
		if !known {
			return fmt.Errorf("around the event is a key that nothing published knows: %s", k)
		}
		if got := typeOf(v); v != nil && !sameType(got, want) {
			return fmt.Errorf("around the event %s is a %s and should be a %s", k, got, want)
		}
	}
	list, _ := outer["authorizations"].([]any)
	for _, a := range list {
		m, ok := a.(map[string]any)
		if !ok {
			return errors.New("an authorization that is no object")
		}
		for _, k := range []string{"enterprise_id", "team_id", "user_id", "is_bot", "is_enterprise_install"} {
			if _, ok := m[k]; !ok {
				return fmt.Errorf("an authorization without %s", k)
			}
		}
		if len(m) != 5 {
			return errors.New("an authorization with an invented key")
		}
		with["authed_users"] = append(with["authed_users"].([]any), m["user_id"])
	}
	return c.validate("event-wrapper.schema.json", "", with)
}

// stubs takes the files out of an event that are there in name only.
func (c *Checker) stubs(inner map[string]any) error {
	list, _ := inner["files"].([]any)
	var whole []any
	for _, f := range list {
		m, ok := f.(map[string]any)
		if !ok || m["file_access"] != "check_file_info" {
			whole = append(whole, f)
			continue
		}
		if err := c.keys(m, c.nodes(lookup(c.schema, answerFile)), nil, "event.files[]"); err != nil {
			return err
		}
	}
	switch {
	case len(whole) > 0:
		inner["files"] = whole
	case list != nil:
		delete(inner, "files")
	}
	return nil
}
