package discord

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// message is discordgo's with what it lacks.
type message struct {
	discordgo.Message
	Nonce       string
	Application string // the app whose webhook or bot wrote it
	partial     bool   // an update without content
}

// UnmarshalJSON reads both.
func (m *message) UnmarshalJSON(data []byte) error {
	var more struct {
		Nonce       json.RawMessage `json:"nonce"` // a string or a number
		Application string          `json:"application_id"`
		Content     *string         `json:"content"`
	}
	if err := json.Unmarshal(data, &more); err != nil {
		return err
	}
	m.Nonce, m.Application, m.partial = strings.Trim(string(more.Nonce), `"`), more.Application, more.Content == nil
	return json.Unmarshal(data, &m.Message)
}

// forms of a message's text that a message's own methods know.
func (s *session) own(m *message) bool {
	return m.Author != nil && m.Author.ID == s.cred.Bot || m.WebhookID != "" && (m.Application == s.cred.App || s.hooks.ours(m.WebhookID))
}

func (s *session) onMessage(ctx context.Context, data json.RawMessage, _ string) error {
	m, ok := decode[message](s, data)
	if !ok || m.Author == nil {
		return nil
	}
	c, err := s.channelOf(ctx, m.ChannelID)
	if err != nil || c == nil {
		return err
	}
	if m.Member != nil && m.WebhookID == "" {
		s.state.setMember(m.GuildID, m.Author, m.Member.Nick)
	}
	e, ok := s.convert(c, m)
	if !ok {
		return nil
	}
	return s.post(ctx, e)
}

// convert makes an event of a message, live or past; ok is false for those that show nothing.
func (s *session) convert(c *discordgo.Channel, m *message) (transports.Event, bool) {
	e := s.frame(c, m, m.ID, snowflakeTime(m.ID))
	body := transports.Message{ID: transports.MessageID(m.ID), Text: s.text(m), Files: files(&m.Message)}
	switch m.Type {
	case discordgo.MessageTypeDefault, discordgo.MessageTypeReply, discordgo.MessageTypeChatInputCommand, discordgo.MessageTypeContextMenuCommand:
	case discordgo.MessageTypeGuildMemberJoin, discordgo.MessageTypeChannelNameChange, discordgo.MessageTypeChannelPinnedMessage:
		return e, false // told by other events, or nothing to tell
	case discordgo.MessageTypeThreadCreated:
		body.Notice = true
		body.Text = richtext.FromPlain("started the thread " + m.Content)
	default:
		if body.Text.IsEmpty() && len(body.Files) == 0 {
			return e, false
		}
		body.Notice = true
	}
	if r := m.MessageReference; r != nil && r.MessageID != "" && (r.ChannelID == "" || r.ChannelID == m.ChannelID) && m.Type == discordgo.MessageTypeReply {
		body.ReplyTo = transports.MessageID(r.MessageID)
	}
	if body.Text.IsEmpty() && len(body.Files) == 0 {
		if !s.own(m) && m.GuildID != "" {
			s.log.Warn("a message came without its content: is the Message Content Intent on?", "channel", m.ChannelID)
			body.Text = richtext.FromPlain("(a message whose content Discord did not show to the bot: is its Message Content Intent on?)")
		} else {
			return e, false
		}
	}
	e.Body = body
	return e, true
}

// frame is what all events of a message share.
func (s *session) frame(c *discordgo.Channel, m *message, key string, at time.Time) transports.Event {
	e := s.event(c, key, "", at)
	if m.Author != nil {
		e.Actor = transports.UserID(m.Author.ID)
		if m.WebhookID != "" {
			e.Name = m.Author.Username
		} else if m.Member != nil && m.Member.Nick != "" {
			e.Name = m.Member.Nick
		} else if info, ok := s.state.user(m.Author.ID); ok {
			e.Name = info.Name
		} else {
			e.Name = person(m.Author, "").Name
		}
	}
	e.Own, e.Nonce = s.own(m), m.Nonce
	return e
}

// onMessageUpdate carries edits by people; an update for a link's preview has no edited_timestamp.
func (s *session) onMessageUpdate(ctx context.Context, data json.RawMessage, _ string) error {
	m, ok := decode[message](s, data)
	if !ok || m.EditedTimestamp == nil || m.partial {
		return nil
	}
	c, err := s.channelOf(ctx, m.ChannelID)
	if err != nil || c == nil {
		return err
	}
	return s.post(ctx, s.edit(c, m))
}

func (s *session) edit(c *discordgo.Channel, m *message) transports.Event {
	at := m.EditedTimestamp.UTC()
	e := s.frame(c, m, m.ID+"/edit/"+strconv.FormatInt(at.UnixMicro(), 10), at)
	e.Body = transports.Edit{ID: transports.MessageID(m.ID), Text: s.text(m), Files: files(&m.Message)}
	return e
}

func (s *session) onMessageDelete(ctx context.Context, data json.RawMessage, _ string) error {
	d, ok := decode[struct {
		ID        string   `json:"id"`
		IDs       []string `json:"ids"`
		ChannelID string   `json:"channel_id"`
	}](s, data)
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
		if err := s.post(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) onReaction(ctx context.Context, data json.RawMessage, key string) error {
	return s.reaction(ctx, data, key, true)
}

func (s *session) onReactionRemove(ctx context.Context, data json.RawMessage, key string) error {
	return s.reaction(ctx, data, key, false)
}

func (s *session) reaction(ctx context.Context, data json.RawMessage, key string, add bool) error {
	r, ok := decode[discordgo.MessageReaction](s, data)
	if !ok || r.UserID == s.cred.Bot {
		return nil
	}
	c, err := s.channelOf(ctx, r.ChannelID)
	if err != nil || c == nil {
		return err
	}
	name := r.Emoji.Name
	if r.Emoji.ID != "" {
		name = ":" + name + ":"
	}
	e := s.event(c, r.MessageID+"/reaction/"+key, r.UserID, time.Now().UTC())
	body := transports.Reactions{ID: transports.MessageID(r.MessageID)}
	if add {
		body.Add = []string{name}
	} else {
		body.Remove = []string{name}
	}
	e.Body = body
	return s.post(ctx, e)
}

// text is what a message says: its content, else a forwarded message's, else its embeds' text, and its stickers' names.
func (s *session) text(m *message) richtext.Text {
	content, mentions := m.Content, m.Mentions
	prefix := ""
	if content == "" && len(m.MessageSnapshots) > 0 && m.MessageSnapshots[0].Message != nil {
		prefix, content = "(forwarded) ", m.MessageSnapshots[0].Message.Content
	}
	t := s.parse(prefix+content, mentions)
	add := func(more richtext.Text) {
		if len(t) > 0 {
			t = append(t, richtext.Node{Kind: richtext.Break})
		}
		t = append(t, more...)
	}
	if m.Content == "" {
		for _, e := range m.Embeds {
			for _, part := range []string{e.Title, e.Description, e.URL} {
				if part != "" {
					add(s.parse(part, nil))
				}
			}
		}
	}
	for _, st := range m.StickerItems {
		add(richtext.FromPlain("[sticker: " + st.Name + "]"))
	}
	if m.Poll != nil {
		add(richtext.FromPlain("[poll: " + m.Poll.Question.Text + "]"))
	}
	return t
}

func files(m *discordgo.Message) []transports.File {
	var list []transports.File
	attachments := m.Attachments
	for _, snapshot := range m.MessageSnapshots {
		if snapshot.Message != nil {
			attachments = append(attachments, snapshot.Message.Attachments...)
		}
	}
	for _, a := range attachments {
		list = append(list, transports.File{
			ID: a.ID, Name: a.Filename, MIME: a.ContentType, Size: int64(a.Size), URL: a.URL, Ref: m.ChannelID + "/" + m.ID + "/" + a.ID,
			Width: a.Width, Height: a.Height, Duration: int(a.DurationSecs),
		})
	}
	return list
}
