"""What is written in the demo's office whatever the matter is: notes, reasons, places, channels."""

from __future__ import annotations

from typing import Final

# Intake channels and how their references begin.
CHANNELS: Final = {
    "Web form": "WEB",
    "Hotline": "TEL",
    "Letter": "LTR",
    "Own inspection": "INS",
    "Partner authority": "PAR",
}
PROTECTED_MAILBOX: Final = ("Protected mailbox", "PMB")
POST_FROM_ABROAD: Final = ("Post from abroad", "ABR")

PLACES: Final = (
    "Altmühren", "Port Selwyn", "Grünwinkel", "Sainte-Odile", "Veldhoven-Zuid", "Castelbruno",
    "Norrvik", "Little Harrow", "Brzezie", "Valdemar",
)  # fmt: skip

INTAKE_NOTES: Final = (
    "Called back the sender: the matter is as described; documents follow by post.",
    "Documents arrived, {count} pages, scanned and added. Originals returned.",
    "Competence checked: the matter is ours. Acknowledgement of receipt sent.",
    "The sender asks to be reached in the evening only; number noted on the cover sheet.",
)
WORK_NOTES: Final = (
    "Letter to {firm} sent, with the questions from the file. Answer due in two weeks.",
    "Reminder to {firm}. No answer so far; called, and was promised one for the end of the week.",
    "Answer of {firm} received, {count} pages. Three of our five questions are answered.",
    "Spoke with the sender and explained the state of things. No new facts.",
    "Second reading by a colleague: agrees with the assessment, one remark on the reasons.",
    "Looked for similar cases about {firm}: {count} in the last two years, none of them alike.",
    "Telephone call with the legal contact of {firm}. Tone friendly, substance thin.",
    "Legal assessment drafted. Open point: from which day the period runs.",
    "Open point settled with the legal department; the period runs from the day of receipt.",
    "Hearing letter to {firm} drafted and put to the second signature.",
    "{firm} asks to see the file. Granted, without the sender's address.",
    "File seen by the lawyer of {firm} in our rooms, {count} copies made.",
    "New document from the sender: a letter from {place}. It confirms the order of events.",
    "Assessment after the hearing: nothing new in substance, sums corrected to {amount}.",
)
HANDOVER_NOTES: Final = (
    "Handed over with a summary of two pages; open points are marked in yellow.",
    "Taken over because of the colleague's leave. Read the file; next step is a reminder.",
)
# Why the clock stands still, and why it runs again.
PAUSES: Final = (
    ("Waiting for the laboratory or expert report.", "The report is here."),
    ("{firm} was given time to answer until the middle of the month.", "{firm} has answered."),
    ("Court proceedings on the same question; the judgment is expected soon.",
     "Judgment is out and clear: work goes on."),
    ("The sender is in hospital and asks for patience.", "The sender is back and was heard."),
    ("Request for assistance to a partner authority is under way.",
     "The partner authority has answered."),
)  # fmt: skip
NEW_DUE_DATES: Final = (
    "Extended: {firm} handed in {count} further files that have to be read.",
    "Extended once because of illness in the team.",
    "Brought in line with the date of the hearing.",
    "The ministry asks for an answer by then.",
)
GENERAL_RESTRICTION: Final = (
    "Contains health data of the sender; kept to the circle of those at work."
)
LIFTED_RESTRICTION: Final = "The protected documents were moved to the sealed annex."
