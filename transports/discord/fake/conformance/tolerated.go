package conformance

import (
	"encoding/json"
	"maps"
)

// This file is the whole list of differences from the descriptions that are no errors.

// tolerate changes the descriptions where a better source says otherwise.
func tolerate(api, gateway map[string]any) {
	defs := gateway["$defs"].(map[string]any)
	schemas := api["components"].(map[string]any)["schemas"].(map[string]any)

	// Role flags are a bit field; the types list its only bit. Source: openapi.json,
	// GuildRoleResponse.flags is any integer.
	defs["RoleFlags"] = map[string]any{"type": "integer"}

	// A snapshot has stickers only where the message had some. Source: openapi.json,
	// MinimalContentMessageResponse requires neither.
	snapshot := defs["APIMessageSnapshotFields"].(map[string]any)
	snapshot["required"] = without(snapshot["required"].([]any), "stickers", "sticker_items")

	// A MESSAGE_UPDATE that fake.Server.PartialUpdates ordered has a part of the message
	// only. Source: Discord's documentation until commit 8ab98d5e of discord-api-docs (2024),
	// Gateway Events, Message Update: "message updates may contain only a subset of the full
	// message object payload (but will always contain an ID and channel_id)".
	update := maps.Clone(defs["GatewayMessageUpdateDispatchData"].(map[string]any))
	update["required"] = []any{"id", "channel_id"}
	defs["PartialMessageUpdate"] = update

	// The codes within "errors" are words, such as BASE_TYPE_REQUIRED. Source: Discord's
	// documentation, reference.mdx, Error Messages, whose examples have words.
	schemas["InnerErrors"].(map[string]any)["properties"].(map[string]any)["_errors"] = map[string]any{
		"type": "array", "items": map[string]any{
			"type": "object", "required": []any{"code", "message"},
			"properties": map[string]any{
				"code": map[string]any{"type": "string"}, "message": map[string]any{"type": "string"},
			},
		},
	}

	// A forum post is answered with its first message. Source: Discord's documentation,
	// resources/channel.mdx, Start Thread in Forum or Media Channel: "Returns a channel, with
	// a nested message object".
	created := schemas["CreatedThreadResponse"].(map[string]any)["properties"].(map[string]any)
	created["message"] = map[string]any{"$ref": "#/components/schemas/MessageResponse"}

	// A message may be a forward. Source: Discord's documentation, resources/message.mdx,
	// Message Reference Types (1 is FORWARD); gateway.schema.json, MessageReferenceType.
	schemas["MessageReferenceType"] = map[string]any{"type": "integer", "enum": []any{0, 1}}

	// Permissions in an overwrite may be texts. Source: Discord's documentation,
	// resources/channel.mdx, Overwrite Structure: allow and deny are strings.
	overwrite := schemas["ChannelPermissionOverwriteRequest"].(map[string]any)["properties"].(map[string]any)
	for _, key := range []string{"allow", "deny"} {
		overwrite[key] = map[string]any{"type": []any{"string", "integer", "null"}}
	}

	// RESUMED has an empty object. Source: events/gateway-events.mdx, Resumed, gives it no
	// fields; the types say never.
	dispatch := defs["Dispatch"].(map[string]any)["properties"].(map[string]any)
	dispatch["RESUMED"] = map[string]any{"type": "object", "properties": map[string]any{}}
}

// surplus are keys that discordgo sends with a request although they are not described;
// Discord passes them over. Each has its place in discordgo v0.29.0.
func surplus() map[string][][]string {
	return map[string][][]string{
		"PATCH /channels/{channel_id}/messages/{message_id}": {
			{"ID"}, {"Channel"}, // message.go, type MessageEdit: fields without a tag
		},
		"POST /channels/{channel_id}/messages/{message_id}/threads": {
			{"invitable"}, // structs.go, type ThreadStart: no omitempty
		},
		"POST /channels/{channel_id}/threads": {
			{"invitable"},      // structs.go, type ThreadStart
			{"message", "tts"}, // message.go, type MessageSend
		},
	}
}

// trimmed is the body of a request without what discordgo adds to that operation.
func trimmed(operation string, body []byte) []byte {
	var b map[string]any
	paths := surplus()[operation]
	if len(paths) == 0 || json.Unmarshal(body, &b) != nil {
		return body
	}
	for _, path := range paths {
		at := b
		for _, key := range path[:len(path)-1] {
			at, _ = at[key].(map[string]any)
		}
		delete(at, path[len(path)-1])
	}
	data, err := json.Marshal(b)
	if err != nil {
		return body
	}
	return data
}

func without(list []any, names ...string) []any {
	var out []any
	for _, e := range list {
		keep := true
		for _, n := range names {
			keep = keep && e != n
		}
		if keep {
			out = append(out, e)
		}
	}
	return out
}

// identify mends the IDENTIFY of discordgo, which is older than the descriptions, and of
// no other client. Source: Discord's documentation, events/gateway-events.mdx, Identify
// Connection Properties (keys with a dollar still work); discordgo v0.29.0, structs.go,
// type GatewayStatusUpdate (game, no activities).
func identify(data []byte) []byte {
	var p struct {
		Op int            `json:"op"`
		D  map[string]any `json:"d"`
	}
	if json.Unmarshal(data, &p) != nil || p.Op != 2 {
		return data
	}
	old, _ := p.D["properties"].(map[string]any)
	if _, ok := old["$browser"]; !ok {
		return data
	}
	p.D["properties"] = map[string]any{"os": old["$os"], "browser": old["$browser"], "device": old["$device"]}
	if presence, ok := p.D["presence"].(map[string]any); ok {
		delete(presence, "game")
		presence["activities"] = []any{}
		if presence["status"] == "" {
			presence["status"] = "online"
		}
	}
	mended, err := json.Marshal(map[string]any{"op": 2, "d": p.D})
	if err != nil {
		return data
	}
	return mended
}
