package objects

import (
	"encoding/json"
	"time"
)

// Message is a message, live or past.
type Message struct {
	ID          string `json:"id"`
	ChannelID   string `json:"channel_id"`
	GuildID     string `json:"guild_id"`
	WebhookID   string `json:"webhook_id"`
	Application string `json:"application_id"` // the app whose webhook or bot wrote it
	Nonce       string `json:"nonce"`          // what the sender gave along
	Type        int    `json:"type"`
	Author      *User  `json:"author"`
	Member      *struct {
		Nick string `json:"nick"`
	} `json:"member"`
	Mentioned
	Edited    *time.Time `json:"edited_timestamp"`
	Reference *struct {
		Type      int    `json:"type"` // 0 a reply, 1 a forward
		MessageID string `json:"message_id"`
		ChannelID string `json:"channel_id"`
	} `json:"message_reference"`
	Referenced *Message `json:"referenced_message"`
	Body
}

// Mentioned are the people and the channels of other guilds that a message names.
type Mentioned struct {
	Mentions []User    `json:"mentions"`
	Channels []Channel `json:"mention_channels"`
}

// Body is what a message shows.
type Body struct {
	Flags       int          `json:"flags"`
	Content     *string      `json:"content"` // absent from partial updates
	Attachments []Attachment `json:"attachments"`
	Embeds      []Embed      `json:"embeds"`
	Stickers    []Sticker    `json:"sticker_items"`
	Poll        *Poll        `json:"poll"`
	Snapshots   []struct {
		Message *Message `json:"message"`
	} `json:"message_snapshots"` // what it forwards
	Components json.RawMessage `json:"components"`
	Theme      json.RawMessage `json:"shared_client_theme"`
	Details
}

// Sticker is a picture of a guild's, or of Discord's own.
type Sticker struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Format int    `json:"format_type"` // docs: Sticker Format Types
}

// Details are those of messages that Discord itself makes, or an app on somebody's command.
type Details struct {
	Call *struct {
		Participants []string   `json:"participants"`
		Ended        *time.Time `json:"ended_timestamp"`
	} `json:"call"`
	Subscription *struct {
		Tier    string `json:"tier_name"`
		Months  int    `json:"total_months_subscribed"`
		Renewal bool   `json:"is_renewal"`
	} `json:"role_subscription_data"`
	Interaction *struct {
		Name string `json:"name"`
		User *User  `json:"user"`
	} `json:"interaction"`
	InteractionMetadata *struct {
		User *User `json:"user"`
	} `json:"interaction_metadata"`
}

// Poll is a question with answers.
type Poll struct {
	Question struct {
		Text string `json:"text"`
	} `json:"question"`
	Answers []struct {
		ID    int `json:"answer_id"`
		Media struct {
			Text  string `json:"text"`
			Emoji Emoji  `json:"emoji"`
		} `json:"poll_media"`
	} `json:"answers"`
	Expiry   *time.Time `json:"expiry"`
	Multiple bool       `json:"allow_multiselect"`
	Results  *struct {
		Finalized bool `json:"is_finalized"`
		Counts    []struct {
			ID    int `json:"id"`
			Count int `json:"count"`
		} `json:"answer_counts"`
	} `json:"results"`
}

// Attachment is a file of a message.
type Attachment struct {
	ID       string  `json:"id"`
	Name     string  `json:"filename"`
	Title    string  `json:"title"`
	Alt      string  `json:"description"`
	MIME     string  `json:"content_type"`
	Size     int64   `json:"size"`
	URL      string  `json:"url"`
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	Duration float64 `json:"duration_secs"`
	Proxy    string  `json:"proxy_url"`
	Flags    int     `json:"flags"`
}

// Embed is a card below a message.
type Embed struct {
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	URL         string     `json:"url"`
	Timestamp   *time.Time `json:"timestamp"`
	Author      struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	} `json:"author"`
	Provider struct {
		Name string `json:"name"`
	} `json:"provider"`
	Fields []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"fields"`
	Image     Media `json:"image"`
	Thumbnail Media `json:"thumbnail"`
	Video     Media `json:"video"`
	Footer    struct {
		Text string `json:"text"`
	} `json:"footer"`
}

// Media is a picture or a video somewhere.
type Media struct {
	URL string `json:"url"`
}

// Text is the content of a message.
func (m *Message) Text() string {
	if m.Content == nil {
		return ""
	}
	return *m.Content
}

// ByBot reports whether an app wrote it.
func (m *Message) ByBot() bool { return m.WebhookID != "" || m.Author != nil && m.Author.Bot }

// Reaction is one that was added or removed: one of somebody, all with one emoji, or all of a message.
type Reaction struct {
	UserID    string `json:"user_id"`
	ChannelID string `json:"channel_id"`
	MessageID string `json:"message_id"`
	Emoji     Emoji  `json:"emoji"`
}

// Deletion has the ids of messages that were deleted: of one, or of several at once.
type Deletion struct {
	ID        string   `json:"id"`
	IDs       []string `json:"ids"`
	ChannelID string   `json:"channel_id"`
}
