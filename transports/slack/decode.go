package slack

import (
	"bytes"
	"encoding/json"
	"strings"
)

// eventsPayload is the payload of an events_api envelope. It is decoded here and not by slack-go, which
// refuses whole events for one field that it does not expect.
type eventsPayload struct {
	Type           string `json:"type"`
	TeamID         string `json:"team_id"`
	APIAppID       string `json:"api_app_id"`
	Authorizations []struct {
		TeamID string `json:"team_id"`
		UserID string `json:"user_id"`
	} `json:"authorizations"`
	Event rawEvent `json:"event"`
}

// concerns reports whether a team is among those that the event was sent for (Slack Connect).
func (w *eventsPayload) concerns(team string) bool {
	for _, a := range w.Authorizations {
		if a.TeamID == team {
			return true
		}
	}
	return false
}

// rawEvent is the union of the events that we read; a message is one too.
type rawEvent struct {
	rawMessage
	Message         *rawMessage     `json:"message"`
	PreviousMessage json.RawMessage `json:"previous_message"` // an object, or [] at times
	DeletedTS       string          `json:"deleted_ts"`
	EventTS         string          `json:"event_ts"`
	Reaction        string          `json:"reaction"`
	Item            struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	} `json:"item"`
	Tokens struct {
		OAuth []string `json:"oauth"`
		Bot   []string `json:"bot"`
	} `json:"tokens"`
}

// rawMessage is one message, live or out of the history.
type rawMessage struct {
	Type       string          `json:"type"`
	Subtype    string          `json:"subtype"`
	ChannelRef json.RawMessage `json:"channel"` // an id, or an object in channel_* events
	UserRef    json.RawMessage `json:"user"`    // an id, or an object in user_* events
	BotID      string          `json:"bot_id"`
	AppID      string          `json:"app_id"`
	Username   string          `json:"username"`
	BotProfile struct {
		Name string `json:"name"`
	} `json:"bot_profile"`
	Text        string `json:"text"`
	TS          string `json:"ts"`
	ThreadTS    string `json:"thread_ts"`
	LatestReply string `json:"latest_reply"`
	ReplyCount  int    `json:"reply_count"`
	Inviter     string `json:"inviter"`
	Edited      *struct {
		User string `json:"user"`
		TS   string `json:"ts"`
	} `json:"edited"`
	Blocks      json.RawMessage `json:"blocks"`
	Attachments json.RawMessage `json:"attachments"`
	Files       []rawFile       `json:"files"`
	Metadata    *struct {
		EventType    string         `json:"event_type"`
		EventPayload map[string]any `json:"event_payload"`
	} `json:"metadata"`
	Room struct { // of a huddle_thread message
		ID    string `json:"id"`
		Link  string `json:"huddle_link"`
		By    string `json:"created_by"`
		Ended bool   `json:"has_ended"`
	} `json:"room"`
}

type rawFile struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Title     string `json:"title"`
	Mimetype  string `json:"mimetype"`
	Size      int64  `json:"size"`
	Permalink string `json:"permalink"`
	Width     int    `json:"original_w"`
	Height    int    `json:"original_h"`
	Alt       string `json:"alt_txt"`
	Duration  int64  `json:"duration_ms"`
	Mode      string `json:"mode"`
	Access    string `json:"file_access"`
	External  bool   `json:"is_external"`
	rawAddresses
}

// rawAddresses are where a file's content is, for those who have a token.
type rawAddresses struct {
	Private     string `json:"url_private"`
	Download    string `json:"url_private_download"`
	Thumb       string `json:"thumb_360"`
	ThumbWidth  int    `json:"thumb_360_w"`
	ThumbHeight int    `json:"thumb_360_h"`
}

// stub reports that the rest of a file is to be asked for (docs: Slack Connect, file_access).
func (f *rawFile) stub() bool { return f.ID != "" && f.Access == "check_file_info" }

// rawUser is a user object.
type rawUser struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	RealName string `json:"real_name"`
	Deleted  bool   `json:"deleted"`
	IsBot    bool   `json:"is_bot"`
	IsOwner  bool   `json:"is_owner"`
	IsAdmin  bool   `json:"is_admin"`
	IsGuest  bool   `json:"is_restricted"`
	Profile  struct {
		DisplayName string `json:"display_name"`
		RealName    string `json:"real_name"`
		Email       string `json:"email"`
		Phone       string `json:"phone"`
		Title       string `json:"title"`
		AvatarHash  string `json:"avatar_hash"`
		Image192    string `json:"image_192"`
	} `json:"profile"`
}

// rawChannel is a channel, a group or a direct conversation.
type rawChannel struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	User  string `json:"user"` // the other one of a direct conversation
	Topic struct {
		Value string `json:"value"`
	} `json:"topic"`
	Purpose struct {
		Value string `json:"value"`
	} `json:"purpose"`
	IsMember   bool `json:"is_member"`
	IsArchived bool `json:"is_archived"`
	IsReadOnly bool `json:"is_read_only"`
	IsIM       bool `json:"is_im"`
	IsMpIM     bool `json:"is_mpim"`
	IsPrivate  bool `json:"is_private"`
	IsGroup    bool `json:"is_group"`
	NumMembers int  `json:"num_members"`
}

// channel is the event's channel id, whichever form it has.
func (m *rawMessage) channel() string { return reference(m.ChannelRef) }

// where is the id of the channel that an event is about.
func (e *rawEvent) where() string {
	if e.Item.Channel != "" {
		return e.Item.Channel
	}
	return e.channel()
}

// user is the id of who did it.
func (m *rawMessage) user() string { return reference(m.UserRef) }

func reference(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	var id string
	if len(raw) > 0 && raw[0] == '{' {
		var object struct {
			ID string `json:"id"`
		}
		_ = json.Unmarshal(raw, &object) // what is no object has no id
		return object.ID
	}
	_ = json.Unmarshal(raw, &id) // what is no string has no id
	return id
}

// channelName is the name in a channel_created or channel_rename event.
func (m *rawMessage) channelName() string {
	var object struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(m.ChannelRef, &object)
	return object.Name
}

// metadataType marks the messages that we post.
const metadataType = "dragoman_message"

// clientID is the bridge's id of a message that we posted, where Slack shows it.
func (m *rawMessage) clientID() string {
	if m.Metadata == nil || m.Metadata.EventType != metadataType {
		return ""
	}
	id, _ := m.Metadata.EventPayload["client_id"].(string)
	return id
}

// direct reports whether a channel id is that of a conversation of two.
func direct(channel string) bool { return strings.HasPrefix(channel, "D") }
