package demo

import (
	"net/url"
	"strings"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// slackEvent is an event that was sent to the gateway.
type slackEvent struct{ what, room string }

// maxEvents bounds the events that wait for their acknowledgement.
const maxEvents = 1000

// slackCalls are the methods that are worth a line: those that change something.
var slackCalls = map[string]bool{
	"chat.postMessage": true, "chat.update": true, "chat.delete": true, "reactions.add": true, "reactions.remove": true,
}

// trace prints what the fake server and the gateway send each other, as seen from Slack.
func (s *slackNetwork) trace(kind, name string, payload any) error {
	switch body := fieldsOf(payload); kind {
	case fake.KindFrame:
		if name == "events_api" {
			s.traceEvent(body)
		}
	case fake.KindAck:
		s.traceAck(body.text("envelope_id"))
	case fake.KindRequest:
		if slackCalls[name] {
			text := name
			if content := body.text("text"); content != "" {
				text += " " + quoted(slackText(content))
			} else if reaction := body.text("name"); reaction != "" {
				text += " :" + reaction + ":"
			}
			s.tracer.show(traceLine{network: "Slack", direction: directionOut, step: "5 call", room: s.conversationName(body.text("channel")), text: text})
		}
	case fake.KindResponse:
		s.traceResponse(name, body)
	}
	return nil
}

// traceResponse notes which messages are the gateway's own, and shows a call that was refused.
func (s *slackNetwork) traceResponse(name string, body fields) {
	if !slackCalls[name] {
		return
	}
	if reason := body.text("error"); reason != "" {
		s.tracer.show(traceLine{network: "Slack", direction: directionOut, step: "5 call", text: name + " is refused: " + reason})
		return
	}
	if ts := body.text("ts"); ts != "" {
		s.tracer.markOwn(s.bridgeID(body.text("channel")), ts)
	}
}

// traceEvent prints an event that is sent to the gateway.
func (s *slackNetwork) traceEvent(body fields) {
	event := body.in("payload").in("event")
	e := slackEvent{room: s.conversationName(event.text("channel"))}
	text := ""
	switch kind := event.text("type") + "/" + event.text("subtype"); kind {
	case "message/", "message/bot_message", "message/me_message":
		e.what, text = "message", describe(s.authorName(event), "writes", slackText(event.text("text")))
	case "message/message_changed":
		now := event.in("message")
		e.what, text = "edit", describe(s.authorName(now), "changes it to", slackText(now.text("text")))
	case "message/message_deleted":
		was := event.in("previous_message")
		e.what, text = "deletion", describe(s.authorName(was), "deletes", slackText(was.text("text")))
	case "reaction_added/", "reaction_removed/":
		e.what, e.room = "reaction", s.conversationName(event.in("item").text("channel"))
		text = s.authorName(event) + map[bool]string{true: " adds :", false: " removes :"}[kind == "reaction_added/"] + event.text("reaction") + ":"
	default:
		return
	}
	s.mu.Lock()
	if len(s.events) >= maxEvents {
		clear(s.events)
	}
	s.events[body.text("envelope_id")] = e
	s.mu.Unlock()
	s.tracer.show(traceLine{network: "Slack", direction: directionIn, step: "1 event", room: e.room, text: text})
}

// traceAck prints that the gateway has acknowledged an event.
func (s *slackNetwork) traceAck(envelope string) {
	s.mu.Lock()
	e, ok := s.events[envelope]
	delete(s.events, envelope)
	s.mu.Unlock()
	if ok {
		s.tracer.show(traceLine{network: "Slack", direction: directionIn, step: "3 acknowledged", room: e.room, text: "the gateway acknowledges the " + e.what})
	}
}

// authorName is the author of a message.
func (s *slackNetwork) authorName(m fields) string {
	if u := s.workspace.UserByID(m.text("user")); u != nil {
		return u.Name()
	}
	if name := m.text("username"); name != "" {
		return name
	}
	return "somebody"
}

func (s *slackNetwork) conversationName(id string) string {
	return s.channelName(s.workspace.ChannelByID(id))
}

// fields are the members of a JSON object or of a form.
type fields map[string]any

func fieldsOf(payload any) fields {
	switch v := payload.(type) {
	case map[string]any:
		return v
	case url.Values:
		f := fields{}
		for name, values := range v {
			f[name] = strings.Join(values, " ")
		}
		return f
	}
	return nil
}

func (f fields) text(name string) string {
	s, _ := f[name].(string)
	return s
}

func (f fields) in(name string) fields { return fieldsOf(f[name]) }
