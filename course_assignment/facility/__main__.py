from course_assignment.facility.cli import main

main()
