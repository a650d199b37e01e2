package config

import (
	"strings"
	"testing"
)

// Clients must not be sent to an address of the storage that they would refuse, or that is none.
func TestPublicStorage(t *testing.T) {
	t.Parallel()
	const storage = "[upload]\ns3 = \"http://10.0.0.1:9000\"\ns3_bucket = \"b\"\ns3_key = \"k\"\ns3_secret = \"s\"\n"
	for text, want := range map[string]string{
		storage + `s3_public = "https://files.example.org"`:        "",
		storage + `s3_public = "http://127.0.0.1:9000"`:            "",
		storage + `s3_public = "http://files.example.org"`:         "https only",
		storage + `s3_public = "files.example.org"`:                "not a URL",
		storage + `s3_public = "https://files.example.org/bucket"`: "not a URL",
		"[upload]\ns3_public = \"https://files.example.org\"":      "give s3 too",
	} {
		_, err := Parse([]byte(text), "", nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "upload.s3_public: ") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
