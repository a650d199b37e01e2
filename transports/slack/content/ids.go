package content

import (
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// UserID and RoomID make the bridge's ids of Slack's.
func UserID(team, id string) transports.UserID {
	if id == "" {
		return ""
	}
	return transports.UserID(strings.ToLower(team + "-" + id))
}

func RoomID(team, id string) transports.RoomID {
	return transports.RoomID(strings.ToLower(team + "-" + id))
}

// SlackID takes Slack's own id out of one of ours; ok is false for another team's.
func SlackID[ID ~string](team string, id ID) (string, bool) {
	prefix, rest, found := strings.Cut(strings.ToUpper(string(id)), "-")
	return rest, found && rest != "" && prefix == strings.ToUpper(team)
}

// StampTime is the time that a ts names: seconds, a dot and six digits.
func StampTime(ts string) time.Time {
	seconds, micros, _ := strings.Cut(ts, ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}
	}
	us, _ := strconv.ParseInt((micros + "000000")[:6], 10, 64)
	return time.Unix(s, us*1000).UTC()
}

// TimeStamp is the reverse of StampTime.
func TimeStamp(t time.Time) string {
	micros := strconv.FormatInt(int64(t.Nanosecond()/1000), 10)
	return strconv.FormatInt(t.Unix(), 10) + "." + strings.Repeat("0", 6-len(micros)) + micros
}
