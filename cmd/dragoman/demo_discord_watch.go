package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// discordWatch shows what passes between the stand-in and the gateway, as seen from Discord, which
// has no acknowledgement of single events: a connection that comes back says how far it got.
type discordWatch struct{ *discordTown }

// Gateway sees one payload of the gateway connection.
func (d discordWatch) Gateway(f fake.Frame) {
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
		text = told(d.who(event), "writes", event.text("content"))
		d.own(event)
	case "MESSAGE_UPDATE":
		text = told(d.who(event), "changes it to", event.text("content"))
		d.own(event)
	case "MESSAGE_DELETE":
		text = "a message is deleted"
	case "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE":
		verb := map[bool]string{true: " adds ", false: " takes back "}[frame.Type == "MESSAGE_REACTION_ADD"]
		text = d.userName(event.text("user_id")) + verb + event.in("emoji").text("name")
	default:
		return
	}
	d.tracer.show(trafficLine{town: d.name(), way: wayIn, step: "1 event", room: d.placeName(event.text("channel_id")), text: text})
}

// own notes the messages that the gateway made: by a bot, or by its webhook.
func (d discordWatch) own(m fields) {
	author := m.in("author").text("id")
	if m.text("webhook_id") != "" || author == string(d.bot.ID()) || author == string(d.next.ID()) {
		d.keep(m.text("id"), m.text("channel_id"))
	}
}

// keep remembers a message of the gateway and where it is.
func (d discordWatch) keep(id, channel string) {
	if id == "" || channel == "" {
		return
	}
	d.mu.Lock()
	if len(d.made) >= maxRemembered {
		clear(d.made)
	}
	d.made[id] = channel
	d.mu.Unlock()
	d.tracer.mine(channel, id)
}

func (d discordWatch) who(m fields) string {
	if name := m.in("author").text("global_name"); name != "" {
		return name
	}
	return m.in("author").text("username")
}

func (d discordWatch) userName(id string) string {
	if p := d.personOf(fake.ID(id)); p != nil {
		return p.name
	}
	return "the gateway"
}

// REST sees one request and its answer: shown are those that change a message.
func (d discordWatch) REST(x fake.Exchange) {
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
			room = d.made[parts[len(parts)-1]]
			d.mu.Unlock()
		}
	case len(parts) >= 3 && parts[0] == "channels" && parts[2] == "messages":
		room = parts[1]
	default:
		return
	}
	d.keep(answer.text("id"), room)
	text := x.Method + " " + shortPath(parts)
	if said := decodeFields(x.Body).text("content"); said != "" {
		text += " " + quoted(said)
	}
	if x.Status >= 400 {
		text += " is refused: " + answer.text("message")
	}
	d.tracer.show(trafficLine{town: d.name(), way: wayOut, step: "5 call", room: d.placeName(room), text: text})
}

// words are the parts of a path that are neither ids nor secrets.
var words = []string{"channels", "messages", "webhooks", "reactions", "@me"}

// shortPath is a path without its ids and secrets.
func shortPath(parts []string) string {
	short := make([]string, 0, len(parts))
	for _, p := range parts {
		if !slices.Contains(words, p) {
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
