package fake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// draft is a message of a bot, a webhook or a user before it is stored.
type draft struct {
	channel *channel
	author  *user
	hook    *webhook
	persona persona
	app     *app
	content string
	files   []*attachment
	ref     *reference
	nonce   any
	once    bool // enforce_nonce
	allowed *allowed
	flags   int
	tts     bool
}

// allowed is allowed_mentions: nil for "all that the text names", by webhooks users only.
type allowed struct {
	users, roles, everyone bool
	userIDs, roleIDs       []ID
	replied                bool
}

// draftOf reads what every message of the API has in common.
func (c *call) draftOf(ch *channel, b obj, files map[string]File) (*draft, error) {
	d := &draft{channel: ch, app: c.app}
	content, ok := b["content"].(string)
	if b["content"] != nil && !ok {
		return nil, invalidForm("content", "BASE_TYPE_STRING", "Could not interpret as string.")
	}
	d.content = strings.TrimSpace(content)
	if utf8.RuneCountInString(d.content) > maxContent {
		return nil, tooLong("content", maxContent)
	}
	for _, unused := range []string{"components", "sticker_ids", "embeds"} {
		if list, _ := b[unused].([]any); len(list) > 0 {
			return nil, invalidForm(unused, "BASE_TYPE_BAD_LENGTH", "This Discord has none of these.")
		}
	}
	if b["poll"] != nil {
		return nil, invalidForm("poll", "BASE_TYPE_CHOICES", "This Discord has no polls.")
	}
	var err error
	if d.allowed, err = allowedOf(b["allowed_mentions"]); err != nil {
		return nil, err
	}
	if d.flags, err = number(b, "flags", 0); err != nil {
		return nil, err
	}
	d.flags &= settableMessageFlags
	d.tts, _ = b["tts"].(bool)
	if d.files, err = c.filesOf(ch, b, files); err != nil {
		return nil, err
	}
	if d.content == "" && len(d.files) == 0 {
		return nil, errEmptyMessage()
	}
	return d, nil
}

// filesOf joins the uploaded files and the attachments that describe them.
func (c *call) filesOf(ch *channel, b obj, files map[string]File) ([]*attachment, error) {
	described := map[string]obj{}
	list, _ := b["attachments"].([]any)
	for _, e := range list {
		if o, ok := e.(obj); ok {
			described[fmt.Sprint(o["id"])] = o
		}
	}
	numbers := make([]string, 0, len(files))
	for n := range files {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	var out []*attachment
	for _, n := range numbers {
		f := files[n]
		o := described[n]
		if name, ok := o["filename"].(string); ok && name != "" {
			f.Name = name
		}
		if f.Name == "" {
			return nil, invalidForm("attachments", "BASE_TYPE_REQUIRED", "Required.")
		}
		f.Description, _ = o["description"].(string)
		a := c.s.keep(ch, f)
		a.waveform, _ = o["waveform"].(string)
		if secs, ok := o["duration_secs"].(json.Number); ok {
			a.seconds, _ = secs.Float64()
		}
		out = append(out, a)
	}
	return out, nil
}

// allowedOf reads allowed_mentions. (resources/message.mdx, Allowed Mentions Object)
func allowedOf(v any) (*allowed, error) {
	b, ok := v.(obj)
	if !ok {
		return nil, nil
	}
	a := &allowed{}
	a.replied, _ = b["replied_user"].(bool)
	a.userIDs, a.roleIDs = idsOf(b["users"]), idsOf(b["roles"])
	kinds, _ := b["parse"].([]any)
	for _, k := range kinds {
		switch k {
		case "users":
			a.users = true
		case "roles":
			a.roles = true
		case "everyone":
			a.everyone = true
		default:
			return nil, invalidForm("allowed_mentions", "BASE_TYPE_CHOICES", "Value must be one of {'users', 'everyone', 'roles'}.")
		}
	}
	if a.users && len(a.userIDs) > 0 || a.roles && len(a.roleIDs) > 0 {
		return nil, invalidForm("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "parse:[\"users\"] and users: [ids...] are mutually exclusive.")
	}
	return a, nil
}

func idsOf(v any) []ID {
	list, _ := v.([]any)
	var out []ID
	for _, e := range list {
		if text, ok := e.(string); ok {
			out = append(out, ID(text))
		}
	}
	return out
}
