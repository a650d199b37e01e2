package slack

import (
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/slack/content"
)

// reader reads what messages say, with the names that this client knows.
func (s *client) reader() *content.Reader {
	return &content.Reader{Team: s.cred.Team, Names: names{s}, Unknown: func(kind string, values []string) {
		if s.raw.First("block "+kind, values) {
			s.log.Warn("a block of slack is not known, or has values of other types", "type", kind, "values", values)
		}
	}}
}

// text is what a message says.
func (s *client) text(m *rawMessage) richtext.Text {
	return s.reader().Text(content.Message{Text: m.Text, Blocks: m.Blocks, Attachments: m.Attachments})
}

// markup is an outgoing message as mrkdwn.
func (s *client) markup(m transports.Outgoing) string { return content.Markup(s.cred.Team, m) }

// names are those that a client knows without asking.
type names struct{ s *client }

// Person implements content.Names.
func (n names) Person(id string) string { return n.s.name(id) }

// Channel implements content.Names.
func (n names) Channel(id string) string {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	return n.s.rooms[id].Name
}

// Group implements content.Names.
func (n names) Group(id string) string {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	return n.s.groups[id].handle
}
