package discord

import (
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
)

// epoch is the first millisecond of Discord's snowflakes.
const epoch = 1420070400000

// snowflakeTime is the time that an id names.
func snowflakeTime(id string) time.Time {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(n>>22) + epoch).UTC()
}

// snowflakeAt is the smallest id of a time, for questions about the past.
func snowflakeAt(t time.Time) string {
	ms := max(t.UnixMilli()-epoch, 0)
	return strconv.FormatUint(uint64(ms)<<22, 10)
}

func checkRoom(id transports.RoomID) (string, error) {
	if !content.IsSnowflake(string(id)) {
		return "", transports.Refuse("item-not-found", "there is no such channel", nil)
	}
	return string(id), nil
}

func checkUser(id transports.UserID) (string, error) {
	if !content.IsSnowflake(string(id)) {
		return "", transports.Refuse("item-not-found", "there is no such person", nil)
	}
	return string(id), nil
}
