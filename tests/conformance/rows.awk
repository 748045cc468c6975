# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Reads records into rows. For text.awk and html.awk, which define show():
#
#   columns, system[c]    the systems
#   rows, at[r]           the rows in the order of reading; PROGRAM, CASE, what is expected, words
#   program[r] scene[r] expected[r] words[r] tag[r] probe[r]
#   times[r, c]           how often it was stated; 0 is not at all
#   verdict[r, c]         "holds" "does not hold" "expected not to" "holds against expectation"
#                         "seen" (a probe) "not stated"
#   count[r, c]           how often with that verdict
#   seen[r, c]            what the statement said, different texts with line ends between them
#   differs[r]            whether the columns that state it disagree

BEGIN {
    FS = "\t"
    rank["not stated"] = 0
    rank["seen"] = rank["holds"] = 1
    rank["expected not to"] = 2
    rank["holds against expectation"] = 3
    rank["does not hold"] = 4
    said["passed"] = "holds"
    said["todo"] = "expected not to"
    said["todo-passed"] = "holds against expectation"
    said["failed"] = "does not hold"
    most_texts = 6
}

function plain(text) {
    gsub(/\r$/, "", text)
    if (index(text, "\\") == 0) return text
    gsub(/\\\\/, "\001", text)
    gsub(/\\[nrt]/, " ", text)
    gsub(/\001/, "\\", text)
    return text
}

function tag_of(place, parts, i) {
    split(place, parts, ":")
    for (i = 1; i <= sources[parts[1]]; i++)
        if (parts[2] >= source_from[parts[1], i] && parts[2] <= source_to[parts[1], i])
            return source_tag[parts[1], i]
    return ""
}

function row_of(one_program, one_case, what, one_words, key) {
    key = one_program SUBSEP one_case SUBSEP what SUBSEP one_words
    if (!(key in row)) {
        row[key] = ++rows
        program[rows] = one_program
        scene[rows] = one_case
        expected[rows] = plain(what)
        words[rows] = one_words
    }
    return row[key]
}

function put(r, judged, text) {
    times[r, column]++
    if (!((r, column) in verdict) || rank[judged] > rank[verdict[r, column]]) {
        verdict[r, column] = judged
        count[r, column] = texts[r, column] = 0
        seen[r, column] = ""
    }
    if (judged != verdict[r, column]) return
    count[r, column]++
    if (texts[r, column] >= most_texts) return
    if (index("\n" seen[r, column] "\n", "\n" text "\n")) return
    seen[r, column] = seen[r, column] (texts[r, column]++ ? "\n" : "") text
}

# A program that is over: the row of how it ended.
function ended(name, status, r) {
    if (name == "") return
    r = row_of(name, "", "the program ends by itself", "")
    if (status == "0" || status == "1") put(r, "holds", "")
    else put(r, "does not hold", "status " status (last_case == "" ? "" : ", last in " last_case))
}

FNR == 1 { split("", sources) }
$1 == "source" {
    sources[$2]++
    source_from[$2, sources[$2]] = $3 + 0
    source_to[$2, sources[$2]] = $4 + 0
    source_tag[$2, sources[$2]] = plain($5)
}
$1 == "system" { ended(started, "unknown"); started = ""; system_name[++columns] = plain($2); column = columns }
$1 == "begin" { ended(started, "unknown"); started = plain($2); last_case = "" }
$1 == "end" { ended($2, plain($3)); started = "" }
$1 == "check" || $1 == "probe" {
    last_case = $3
    r = row_of($2, $3, $6, $1 == "probe" ? "" : $7)
    if (tag[r] == "") tag[r] = tag_of($4)
    if ($1 == "probe") probe[r] = 1
    put(r, $1 == "probe" ? "seen" : said[$5], plain($8))
}
$1 == "skip" { last_case = $3; skipped[$2, $3, column] = plain($8) }

END {
    ended(started, "unknown")
    for (r = 1; r <= rows; r++) for (c = 1; c <= columns; c++) {
        if (!((r, c) in verdict)) {
            verdict[r, c] = "not stated"
            seen[r, c] = ((program[r], scene[r], c) in skipped) ? skipped[program[r], scene[r], c] : ""
        }
        total[c, verdict[r, c]]++
    }
    for (r = 1; r <= rows; r++) differs[r] = disagree(r)
    show()
}

function disagree(r, c, one, first) {
    for (c = 1; c <= columns; c++) {
        if (verdict[r, c] == "not stated") continue
        one = verdict[r, c] (probe[r] ? "\n" seen[r, c] : "")
        if (first == "") first = one
        else if (one != first) return 1
    }
    return 0
}

# Every column that states it says that it holds.
function holds_everywhere(r, c) {
    for (c = 1; c <= columns; c++)
        if (verdict[r, c] != "not stated" && rank[verdict[r, c]] > 1) return 0
    return !probe[r]
}

# What was seen where that says something: of what holds, numbers that were not foretold.
function shown(r, c) {
    if (verdict[r, c] == "holds" && words[r] !~ /%[-+ #0-9.*hlIjzt]*[diuxXp]/) return ""
    return seen[r, c]
}

# "does not hold (3 of 12)"
function cell(r, c) {
    if (times[r, c] > 1 && count[r, c] != times[r, c])
        return verdict[r, c] " (" count[r, c] " of " times[r, c] ")"
    return verdict[r, c]
}
