//go:build !race

package plays

const raceDetector = false
