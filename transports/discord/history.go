package discord

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
)

// backWindow is how many messages before the last known one are looked at for edits.
const backWindow = 50

// History reads past messages of a room, oldest first.
func (s *session) History(ctx context.Context, room transports.RoomID, after transports.MessageID, limit int) ([]transports.Event, bool, error) {
	id, err := checkRoom(room)
	if err != nil {
		return nil, false, err
	}
	c, err := s.channelOf(ctx, id)
	if err != nil {
		return nil, false, err
	}
	if c == nil {
		return nil, false, transports.Refuse("item-not-found", "there is no such channel, or the bot does not see it", nil)
	}
	limit = max(limit, 1)
	if after == "" {
		var all []message
		before := ""
		for len(all) < limit {
			page, err := s.page(ctx, id, "", before, min(100, limit-len(all)))
			if err != nil {
				return nil, false, err
			}
			all = append(page, all...)
			if len(page) == 0 || len(page) < min(100, limit) {
				break
			}
			before = page[0].ID
		}
		return s.past(c, all, ""), false, nil
	}
	if !isSnowflake(string(after)) {
		return nil, false, transports.Refuse("item-not-found", "there is no such message", nil)
	}
	limit = min(100, limit)
	fresh, err := s.page(ctx, id, string(after), "", limit)
	if err != nil {
		return nil, false, err
	}
	for last := fresh; len(last) == limit && len(s.past(c, fresh, string(after))) == 0; { // nothing to show so far
		if last, err = s.page(ctx, id, last[len(last)-1].ID, "", limit); err != nil {
			return nil, false, err
		}
		fresh = append(fresh, last...)
	}
	known, err := s.page(ctx, id, "", following(string(after)), backWindow)
	if err != nil {
		return nil, false, err
	}
	return s.past(c, append(known, fresh...), string(after)), len(fresh) > 0 && len(fresh)%limit == 0, nil
}

// following is the next snowflake: "before" it, an id itself is among the answers.
func following(id string) string {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return id
	}
	return strconv.FormatUint(n+1, 10)
}

// page reads at most limit messages after or before an id, oldest first.
func (s *session) page(ctx context.Context, channel, after, before string, limit int) ([]message, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		query.Set("after", after)
	}
	if before != "" {
		query.Set("before", before)
	}
	endpoint := discordgo.EndpointChannelMessages(channel)
	var page []message
	err := s.asking(ctx, func(o discordgo.RequestOption) error {
		answer, err := s.rest.RequestWithBucketID(http.MethodGet, endpoint+"?"+query.Encode(), nil, endpoint, o)
		if err != nil {
			return err
		}
		page = nil
		return json.Unmarshal(answer, &page)
	})
	slices.SortFunc(page, func(a, b message) int {
		switch {
		case older(a.ID, b.ID):
			return -1
		case older(b.ID, a.ID):
			return 1
		}
		return 0
	})
	return page, err
}

// past makes events of past messages: those after an id themselves, of the others the edits since.
func (s *session) past(c *discordgo.Channel, messages []message, after string) []transports.Event {
	var events []transports.Event
	for i := range messages {
		m := &messages[i]
		m.GuildID = c.GuildID
		switch {
		case after == "" || older(after, m.ID):
			if e, ok := s.convert(c, m); ok {
				events = append(events, e)
			}
		case m.EditedTimestamp != nil && m.EditedTimestamp.After(snowflakeTime(after)):
			events = append(events, s.edit(c, m))
		}
	}
	slices.SortStableFunc(events, func(a, b transports.Event) int { return a.At.Compare(b.At) })
	return events
}
