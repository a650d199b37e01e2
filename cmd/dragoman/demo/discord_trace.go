package demo

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// discordTracer prints what the fake server and the gateway send each other, as seen from Discord, which
// has no acknowledgement of single events: a connection that resumes says how far it got.
type discordTracer struct{ *discordNetwork }

// Gateway gets one payload of the gateway connection.
func (d discordTracer) Gateway(f fake.Frame) {
	if f.FromClient {
		return
	}
	var frame struct {
		Type string `json:"t"`
		Data fields `json:"d"`
	}
	if json.Unmarshal(f.Data, &frame) != nil {
		return
	}
	event, text := frame.Data, ""
	switch frame.Type {
	case "MESSAGE_CREATE":
		text = describe(d.authorName(event), "writes", event.text("content"))
		d.noteOwn(event)
	case "MESSAGE_UPDATE":
		text = describe(d.authorName(event), "changes it to", event.text("content"))
		d.noteOwn(event)
	case "MESSAGE_DELETE":
		text = "a message is deleted"
	case "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE":
		verb := map[bool]string{true: " adds ", false: " removes "}[frame.Type == "MESSAGE_REACTION_ADD"]
		text = d.userName(event.text("user_id")) + verb + event.in("emoji").text("name")
	default:
		return
	}
	d.tracer.show(traceLine{network: "Discord", direction: directionIn, step: "1 event", room: d.conversationName(event.text("channel_id")), text: text})
}

// noteOwn notes the messages that the gateway sent: as a bot, or by its webhook.
func (d discordTracer) noteOwn(m fields) {
	author := m.in("author").text("id")
	if m.text("webhook_id") != "" || author == string(d.bot.ID()) || author == string(d.second.ID()) {
		d.keep(m.text("id"), m.text("channel_id"))
	}
}

// keep remembers a message of the gateway and where it is.
func (d discordTracer) keep(id, channel string) {
	if id == "" || channel == "" {
		return
	}
	d.mu.Lock()
	if len(d.sent) >= maxRemembered {
		clear(d.sent)
	}
	d.sent[id] = channel
	d.mu.Unlock()
	d.tracer.markOwn(channel, id)
}

func (d discordTracer) authorName(m fields) string {
	if name := m.in("author").text("global_name"); name != "" {
		return name
	}
	return m.in("author").text("username")
}

func (d discordTracer) userName(id string) string {
	if u := d.userOf(fake.ID(id)); u != nil {
		return u.name
	}
	return "the gateway"
}

// REST gets one request and its answer. Those that change a message are printed.
func (d discordTracer) REST(x fake.Exchange) {
	if x.Method == "GET" || x.Status == 404 && x.Method == "DELETE" {
		return
	}
	parts := strings.Split(strings.Trim(x.Path, "/"), "/")
	answer := decodeFields(x.Answer)
	room := ""
	switch {
	case len(parts) >= 2 && parts[0] == "webhooks":
		if room = answer.text("channel_id"); room == "" { // a deletion has no answer
			d.mu.Lock()
			room = d.sent[parts[len(parts)-1]]
			d.mu.Unlock()
		}
	case len(parts) >= 3 && parts[0] == "channels" && parts[2] == "messages":
		room = parts[1]
	default:
		return
	}
	d.keep(answer.text("id"), room)
	text := x.Method + " " + shortPath(parts)
	if content := decodeFields(x.Body).text("content"); content != "" {
		text += " " + quoted(content)
	}
	if x.Status >= 400 {
		text += " is refused: " + answer.text("message")
	}
	d.tracer.show(traceLine{network: "Discord", direction: directionOut, step: "5 call", room: d.conversationName(room), text: text})
}

// pathWords are the parts of a path that are neither ids nor secrets.
var pathWords = []string{"channels", "messages", "webhooks", "reactions", "@me"}

// shortPath is a path without its ids and secrets.
func shortPath(parts []string) string {
	short := make([]string, 0, len(parts))
	for _, p := range parts {
		if !slices.Contains(pathWords, p) {
			p = "…"
		}
		if p != "…" || len(short) == 0 || short[len(short)-1] != p {
			short = append(short, p)
		}
	}
	return "/" + strings.Join(short, "/")
}

func decodeFields(text []byte) fields {
	var f fields
	if len(text) == 0 || json.Unmarshal(text, &f) != nil {
		return nil
	}
	return f
}
