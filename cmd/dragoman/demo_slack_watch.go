package main

import (
	"net/url"
	"strings"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// slackFrame is an event on its way to the gateway.
type slackFrame struct{ what, room string }

// maxFrames bounds the events that wait for their acknowledgement.
const maxFrames = 1000

// slackCalls are the methods that are worth a line: those that change something.
var slackCalls = map[string]bool{
	"chat.postMessage": true, "chat.update": true, "chat.delete": true, "reactions.add": true, "reactions.remove": true,
}

// watch shows what passes between the stand-in and the gateway, as seen from Slack.
func (s *slackTown) watch(kind, name string, payload any) error {
	switch body := fieldsOf(payload); kind {
	case fake.KindFrame:
		if name == "events_api" {
			s.eventOut(body)
		}
	case fake.KindAck:
		s.acknowledged(body.text("envelope_id"))
	case fake.KindRequest:
		if slackCalls[name] {
			text := name
			if said := body.text("text"); said != "" {
				text += " " + quoted(spokenSlack(said))
			} else if picture := body.text("name"); picture != "" {
				text += " :" + picture + ":"
			}
			s.tracer.show(trafficLine{town: s.name(), way: wayOut, step: "5 call", room: s.placeName(body.text("channel")), text: text})
		}
	case fake.KindResponse:
		s.answered(name, body)
	}
	return nil
}

// answered notes which messages are the gateway's own, and shows a call that was refused.
func (s *slackTown) answered(name string, body fields) {
	if !slackCalls[name] {
		return
	}
	if reason := body.text("error"); reason != "" {
		s.tracer.show(trafficLine{town: s.name(), way: wayOut, step: "5 call", text: name + " is refused: " + reason})
		return
	}
	if ts := body.text("ts"); ts != "" {
		s.tracer.mine(s.bridgeID(body.text("channel")), ts)
	}
}

// eventOut shows an event that goes to the gateway.
func (s *slackTown) eventOut(body fields) {
	event := body.in("payload").in("event")
	f := slackFrame{room: s.placeName(event.text("channel"))}
	text := ""
	switch kind := event.text("type") + "/" + event.text("subtype"); kind {
	case "message/", "message/bot_message", "message/me_message":
		f.what, text = "message", told(s.who(event), "writes", spokenSlack(event.text("text")))
	case "message/message_changed":
		now := event.in("message")
		f.what, text = "edit", told(s.who(now), "changes it to", spokenSlack(now.text("text")))
	case "message/message_deleted":
		was := event.in("previous_message")
		f.what, text = "deletion", told(s.who(was), "deletes", spokenSlack(was.text("text")))
	case "reaction_added/", "reaction_removed/":
		f.what, f.room = "reaction", s.placeName(event.in("item").text("channel"))
		text = s.who(event) + map[bool]string{true: " adds :", false: " takes back :"}[kind == "reaction_added/"] + event.text("reaction") + ":"
	default:
		return
	}
	s.mu.Lock()
	if len(s.frames) >= maxFrames {
		clear(s.frames)
	}
	s.frames[body.text("envelope_id")] = f
	s.mu.Unlock()
	s.tracer.show(trafficLine{town: s.name(), way: wayIn, step: "1 event", room: f.room, text: text})
}

// acknowledged shows that the gateway has told Slack that an event is safe.
func (s *slackTown) acknowledged(envelope string) {
	s.mu.Lock()
	f, ok := s.frames[envelope]
	delete(s.frames, envelope)
	s.mu.Unlock()
	if ok {
		s.tracer.show(trafficLine{town: s.name(), way: wayIn, step: "3 acknowledged", room: f.room, text: "Slack is told that the " + f.what + " is safe"})
	}
}

// who is the writer of a message.
func (s *slackTown) who(m fields) string {
	if u := s.workspace.UserByID(m.text("user")); u != nil {
		return u.Name()
	}
	if name := m.text("username"); name != "" {
		return name
	}
	return "somebody"
}

func (s *slackTown) placeName(id string) string { return s.channelName(s.workspace.ChannelByID(id)) }

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
