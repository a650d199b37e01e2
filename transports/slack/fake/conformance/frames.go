package conformance

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

var envelopeID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Socket Mode has no published schema; the frames are as docs.slack.dev describes them in
// words. A value is the type of a key; what ends in ? may be absent.
var frames = map[string]map[string]string{
	"hello":      {"type": "string", "num_connections": "number", "debug_info": "object", "connection_info": "object"},
	"disconnect": {"type": "string", "reason": "string", "debug_info": "object"},
	"events_api": {"type": "string", "envelope_id": "string", "payload": "object", "accepts_response_payload": "boolean",
		"retry_attempt": "number", "retry_reason": "string"},
	"slash_commands": {"type": "string", "envelope_id": "string", "payload": "object", "accepts_response_payload": "boolean"},
	"interactive":    {"type": "string", "envelope_id": "string", "payload": "object", "accepts_response_payload": "boolean"},
}

// frame checks a frame to the app.
func (c *Checker) frame(name string, payload any) error {
	v, err := plain(payload)
	if err != nil {
		return err
	}
	m, ok := v.(map[string]any)
	want := frames[name]
	if !ok || want == nil {
		return errors.New("a frame of no known kind")
	}
	for k, t := range want {
		if got := typeOf(m[k]); got != t {
			return fmt.Errorf("%s is a %s and should be a %s", k, got, t)
		}
	}
	for k := range m {
		if want[k] == "" {
			return fmt.Errorf("an invented key: %s", k)
		}
	}
	switch name {
	case "hello":
		return exactly(m["debug_info"], "host", "build_number", "approximate_connection_time")
	case "disconnect":
		if !slices.Contains([]any{"warning", "refresh_requested", "link_disabled", "too_many_websockets"}, m["reason"]) {
			return fmt.Errorf("no known reason: %v", m["reason"])
		}
		return exactly(m["debug_info"], "host")
	}
	if !envelopeID.MatchString(m["envelope_id"].(string)) {
		return errors.New("an envelope_id that is no UUID")
	}
	return nil
}

func exactly(v any, keys ...string) error {
	m, _ := v.(map[string]any)
	for _, k := range keys {
		if m[k] == nil {
			return fmt.Errorf("%s is missing", k)
		}
	}
	if len(m) != len(keys) {
		return errors.New("an invented key in debug_info")
	}
	return nil
}

// ack checks a frame from the app.
func (c *Checker) ack(payload any) error {
	m, ok := payload.(map[string]any)
	if !ok {
		return errors.New("an acknowledgement that is no object")
	}
	id, _ := m["envelope_id"].(string)
	if !envelopeID.MatchString(id) {
		return errors.New("an acknowledgement without an envelope_id")
	}
	for k := range m {
		if k != "envelope_id" && k != "payload" {
			return fmt.Errorf("an invented key: %s", k)
		}
	}
	return nil
}
