//go:build race

package outbound

const raceDetector = true
