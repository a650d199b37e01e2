package discord

import (
	"context"
	"strconv"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
	"github.com/dragoman-im/dragoman/transports/discord/state"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// own reports whether the bot wrote a message, or one of our webhooks.
func (s *client) own(m *objects.Message) bool {
	return m.Author != nil && m.WebhookID == "" && m.Author.ID == s.cred.Bot || s.hooked(m)
}

// hooked reports whether one of our webhooks wrote a message.
func (s *client) hooked(m *objects.Message) bool {
	return m.WebhookID != "" && (m.Application != "" && m.Application == s.cred.App || s.hooks.ours(m.WebhookID))
}

func (s *client) onMessage(ctx context.Context, n *gatewayEvent) error {
	m, ok := decode[objects.Message](s, n)
	if !ok || m.ID == "" {
		return nil
	}
	c, err := s.channelOf(ctx, m.ChannelID)
	if err != nil || c == nil {
		return err
	}
	if m.Member != nil && m.Author != nil && m.WebhookID == "" {
		s.state.SetMember(c.GuildID, m.Author, m.Member.Nick)
	}
	s.post(ctx, n, s.convert(c, m))
	return nil
}

// convert makes an event of a message, live or past.
func (s *client) convert(c *objects.Channel, m *objects.Message) transports.Event {
	e := s.frame(c, m, m.ID, snowflakeTime(m.ID))
	body := transports.Message{ID: transports.MessageID(m.ID), Text: content.Text(s.state, c, m), Files: files(m)}
	if m.Edited != nil {
		body.Edited = m.Edited.UTC()
	}
	if notice := s.notice(c, m); len(notice) > 0 {
		body.Notice = true
		body.Text = content.AppendLine(notice, body.Text)
	} else if line := s.command(m); line != "" {
		body.Text = content.AppendLine(richtext.FromPlain(line), body.Text)
	}
	if r := m.Reference; r != nil && r.Type == 0 && r.MessageID != "" && (r.ChannelID == "" || r.ChannelID == m.ChannelID) && m.Type == content.TypeReply {
		body.ReplyTo = transports.MessageID(r.MessageID)
	}
	if body.Text.IsEmpty() && len(body.Files) == 0 {
		body.Text = richtext.FromPlain(s.unread(m))
	}
	e.Body = body
	return e
}

// unread is the text for a message of which nothing can be shown. Without the message content intent
// Discord leaves out what others wrote in guilds (docs: Message Content Intent).
func (s *client) unread(m *objects.Message) string {
	if s.own(m) || m.GuildID == "" || m.Flags&flagComponents != 0 {
		return "(a message that cannot be shown here)"
	}
	text := "(a message that Discord does not show to the bot)"
	s.warned.Do(func() {
		s.log.Warn("messages come without their content: the bot's Message Content Intent is off", "channel", m.ChannelID)
		text += ": " + intentHelp("Message Content Intent")
		transports.Notice(s.sink, "content", intentHelp("Message Content Intent"))
	})
	return text
}

// flagComponents marks a message that consists of components only (docs: Message Flags).
const flagComponents = int(discordgo.MessageFlagsIsComponentsV2)

// frame is what all events of a message share.
func (s *client) frame(c *objects.Channel, m *objects.Message, key string, at time.Time) transports.Event {
	e := s.event(c, key, "", at)
	if m.Author != nil {
		e.Actor = transports.UserID(m.Author.ID)
		switch {
		case m.WebhookID != "": // one webhook has many authors
			e.Name = m.Author.Username
		case s.state.ShownAs(c.GuildID, m.Author.ID) == "": // somebody who left, or an app
			e.Name = state.Person(m.Author, "").Name
		}
	}
	e.Own, e.Nonce = s.own(m), m.Nonce
	return e
}

// onMessageUpdate carries edits by people; an update for a link's preview has no edited_timestamp.
func (s *client) onMessageUpdate(ctx context.Context, n *gatewayEvent) error {
	m, ok := decode[objects.Message](s, n)
	if !ok || m.ID == "" || m.Edited == nil {
		return nil
	}
	c, err := s.channelOf(ctx, m.ChannelID)
	if err != nil || c == nil {
		return err
	}
	if m.Content == nil || m.Author == nil { // updates may be partial: the whole is asked for
		whole, err := s.message(ctx, m.ChannelID, m.ID)
		if transports.ClassOf(err) == transports.Refused {
			return nil // gone meanwhile, or without the permission to read
		}
		if err != nil {
			return err
		}
		if whole.Edited == nil {
			return nil
		}
		m = whole
	}
	s.post(ctx, n, s.edit(c, m))
	return nil
}

// message reads one message.
func (s *client) message(ctx context.Context, channel, id string) (*objects.Message, error) {
	m := &objects.Message{}
	if err := s.paced(ctx, rest.Get("/channels/{}/messages/{}", channel, id), m); err != nil {
		return nil, err
	}
	return m, nil
}

func (s *client) edit(c *objects.Channel, m *objects.Message) transports.Event {
	at := m.Edited.UTC()
	e := s.frame(c, m, m.ID+"/edit/"+strconv.FormatInt(at.UnixMicro(), 10), at)
	e.Body = transports.Edit{ID: transports.MessageID(m.ID), Text: content.Text(s.state, c, m), Files: files(m)}
	return e
}

func (s *client) onMessageDelete(ctx context.Context, n *gatewayEvent) error {
	d, ok := decode[struct {
		ID        string   `json:"id"`
		IDs       []string `json:"ids"`
		ChannelID string   `json:"channel_id"`
	}](s, n)
	if !ok {
		return nil
	}
	c, err := s.channelOf(ctx, d.ChannelID)
	if err != nil || c == nil {
		return err
	}
	ids := d.IDs
	if d.ID != "" {
		ids = append(ids, d.ID)
	}
	for _, id := range ids {
		e := s.event(c, id+"/delete", "", time.Now().UTC())
		e.Body = transports.Delete{IDs: []transports.MessageID{transports.MessageID(id)}}
		s.post(ctx, n, e)
	}
	return nil
}
